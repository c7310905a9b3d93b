"""The ground floor: the nouns, errors, hashes, and files of users. It imports no other room."""
