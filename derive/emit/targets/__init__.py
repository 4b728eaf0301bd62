"""Code targets, one `Target` record each; any module put into this folder is found."""
