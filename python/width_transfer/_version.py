"""The version of the package and of the program inside it; scripts/wheel makes sure that both are one."""

version = "0.1.0"
