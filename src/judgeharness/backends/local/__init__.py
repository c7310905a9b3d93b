"""What models on this machine share: prefixes, packing, sampling, generating."""
