package io.bitloom.common.prompt;

import java.util.Map;
import java.util.Optional;
import java.util.OptionalLong;
import java.util.TreeMap;

/** The {@code custom_id}s of all files of a job, and where each was first seen. */
public final class CustomIds {

  private final NameIndex index = new NameIndex();

  /** Files by the number of lines before them. */
  private final TreeMap<Long, String> files = new TreeMap<>();

  private long linesBefore;
  private long lastLine;

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
    OptionalLong earlier = index.add(customId, linesBefore + line);
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
