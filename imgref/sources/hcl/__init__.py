"""HCL, the language of Terraform, Nomad and bake files, with the positions of its values."""
