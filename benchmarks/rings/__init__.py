"""What rings of our members cost and take, beside rings of HashiCorp's memberlist."""
