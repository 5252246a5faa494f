# Counts bases in windows along each sequence of a FASTA file; -v window=N. One line a window:
# sequence, first base (from 0), end, G, C, known bases (A, C, G, T; not N).
BEGIN { OFS = "\t" }
/^>/ { finish(); name = substr($1, 2); start = 0; rest = ""; next }
{
  sub(/\r$/, "")
  rest = rest toupper($0)
  while (length(rest) >= window) { count(substr(rest, 1, window)); rest = substr(rest, window + 1) }
}
END { finish() }

function count(bases,   size, g, c, at) {
  size = length(bases)
  g = gsub(/G/, "", bases); c = gsub(/C/, "", bases); at = gsub(/[AT]/, "", bases)
  print name, start, start + size, g, c, g + c + at
  start += size
}

function finish() { if (name != "" && rest != "") count(rest) }
