"""What commands write into packages for review: manifests, new packages, drafted, imported and converted cases."""
