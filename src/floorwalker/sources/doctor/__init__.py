"""What the data of a shop holds, lacks, and therefore can and cannot detect."""
