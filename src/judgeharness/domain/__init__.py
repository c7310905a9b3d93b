"""The ground floor: nouns, errors, hashes and the files of users. It imports no other room."""
