package io.bitloom.common.prompt;

import java.util.Map;
import java.util.Optional;
import java.util.OptionalLong;
import java.util.TreeMap;

/** The {@code custom_id}s of all files of a job, and where each was first seen. */
public final class CustomIds {

  private final Optional<NameIndex> index;

  /** Files by the number of lines before them. */
  private final TreeMap<Long, String> files = new TreeMap<>();

  private long linesBefore;
  private long lastLine;

  public CustomIds() {
    this(Optional.of(new NameIndex()));
  }

  private CustomIds(Optional<NameIndex> index) {
    this.index = index;
  }

  /** Those of files in which none was found twice before: nothing is remembered. */
  public static CustomIds known() {
    return new CustomIds(Optional.empty());
  }

  /** Goes on with another file. */
  void begin(String file) {
    linesBefore += lastLine;
    lastLine = 0;
    files.put(linesBefore, file);
  }

  /**
   * Adds one, unless it is there already: then that place is returned.
   *
   * @param line of the file that was begun last, from 1
   */
  Optional<String> add(String customId, long line) {
    OptionalLong earlier =
        index.map(names -> names.add(customId, linesBefore + line)).orElseGet(OptionalLong::empty);
    return earlier.isPresent() ? Optional.of(place(earlier.getAsLong())) : Optional.empty();
  }

  /** The file that was begun last has so many lines at least. */
  void reached(long line) {
    lastLine = line;
  }

  private String place(long number) {
    Map.Entry<Long, String> file = files.lowerEntry(number);
    String line = "line " + (number - file.getKey());
    return file.getKey() == linesBefore ? line : line + " of " + file.getValue();
  }
}
