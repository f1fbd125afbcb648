package io.bitloom.common.prompt;

import io.bitloom.common.error.FieldViolation;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import java.util.TreeSet;

/** Which fields of a prompt the columns of a table have. */
final class TableColumns {

  private static final String PROMPT = "prompt";
  private static final Set<String> OTHER_NAMES_OF_PROMPT = Set.of("caption", "text");

  private TableColumns() {}

  /**
   * The field of each column; empty for a column that is passed over.
   *
   * @param file for messages
   * @param header names of the columns; {@code caption} and {@code text} stand for {@code prompt}
   * @param mapping fields by the names of their columns, other columns are passed over; empty: the
   *     columns have the names of fields
   * @param where the names stand, for messages
   * @throws PromptFileException if the columns have no prompt, or what no prompt has
   */
  static List<String> fields(
      String file, List<String> header, Map<String, String> mapping, String where)
      throws PromptFileException {
    List<String> names =
        mapping.isEmpty() ? ownNames(header) : mappedNames(file, header, mapping, where);
    if (!names.contains(PROMPT)) {
      throw new PromptFileException(
          file, "has no column prompt (or caption, or text)" + where + ": " + shown(names));
    }
    List<String> unknown =
        names.stream()
            .filter(name -> !name.isEmpty() && !PromptLine.FIELDS.contains(name))
            .toList();
    if (!unknown.isEmpty()) {
      throw new PromptFileException(file, "has columns that no prompt has: " + shown(unknown));
    }
    Set<String> seen = new HashSet<>();
    for (String name : names) {
      if (!name.isEmpty() && !seen.add(name)) {
        throw new PromptFileException(file, "has two columns for " + name);
      }
    }
    return names;
  }

  private static List<String> ownNames(List<String> header) {
    List<String> names = new ArrayList<>();
    for (String column : header) {
      String name = column.strip().toLowerCase(Locale.ROOT);
      names.add(OTHER_NAMES_OF_PROMPT.contains(name) ? PROMPT : name);
    }
    return names;
  }

  private static List<String> mappedNames(
      String file, List<String> header, Map<String, String> mapping, String where)
      throws PromptFileException {
    Map<String, String> fields = new TreeMap<>(String.CASE_INSENSITIVE_ORDER);
    mapping.forEach((column, field) -> fields.put(column.strip(), field));
    Set<String> missing = new TreeSet<>(fields.keySet());
    List<String> names = new ArrayList<>();
    for (String column : header) {
      names.add(fields.getOrDefault(column.strip(), ""));
      missing.removeIf(name -> name.equalsIgnoreCase(column.strip()));
    }
    if (!missing.isEmpty()) {
      throw new PromptFileException(
          file, "has no column " + shown(List.copyOf(missing)) + where + ": " + shown(header));
    }
    return names;
  }

  private static String shown(List<String> names) {
    return FieldViolation.shown(String.join(", ", names));
  }
}
