"""Cases that wait for a reviewer: drafted from the words of a skill, or by a model that is asked to."""
