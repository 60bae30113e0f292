"""What commands write into packages for review: new packages, manifests, drafted, imported and converted cases. Prints nothing."""
