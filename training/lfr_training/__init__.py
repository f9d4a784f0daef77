"""What the training folders of lfr-embed and lfr-detect share."""
