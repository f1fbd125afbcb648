package io.bitloom.common.prompt;

import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.SortedMap;
import java.util.TreeMap;

/** What was done to read a file's prompts, to be said once for the file. */
public final class PromptNotes {

  /** How often something was met, and where first. */
  private static final class Occurrences {
    private long lines;
    private long firstLine;
    private long characters;

    private void in(long line) {
      if (lines++ == 0) {
        firstLine = line;
      }
    }
  }

  private final List<String> ofFile = new ArrayList<>();
  private final Occurrences strays = new Occurrences();
  private final SortedMap<String, Occurrences> withoutUse = new TreeMap<>();

  /** Something about the file as a whole. */
  void say(String sentence) {
    ofFile.add(sentence);
  }

  /** Control characters of a prompt became spaces. */
  void strays(long line, int characters) {
    if (characters > 0) {
      strays.in(line);
      strays.characters += characters;
    }
  }

  /** A field was passed over. */
  void withoutUse(long line, String field) {
    withoutUse.computeIfAbsent(field, name -> new Occurrences()).in(line);
  }

  /** One sentence for each thing, without the file's name. */
  public List<String> sentences() {
    List<String> sentences = new ArrayList<>(ofFile);
    if (strays.lines > 0) {
      sentences.add(
          String.format(
              Locale.ROOT,
              "%s in %s became spaces, first in line %d",
              plural(strays.characters, "control character"),
              plural(strays.lines, "prompt"),
              strays.firstLine));
    }
    withoutUse.forEach(
        (field, met) ->
            sentences.add(
                String.format(
                    Locale.ROOT,
                    "%s has no use here and was passed over in %s, first in line %d",
                    field,
                    plural(met.lines, "line"),
                    met.firstLine)));
    return sentences;
  }

  private static String plural(long count, String noun) {
    return count + " " + noun + (count == 1 ? "" : "s");
  }
}
