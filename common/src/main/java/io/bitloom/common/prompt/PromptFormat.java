package io.bitloom.common.prompt;

import java.util.Arrays;
import java.util.List;
import java.util.Locale;
import java.util.Optional;
import java.util.stream.Collectors;

/** How a file says its prompts. */
public enum PromptFormat {
  /** A JSON object a line. */
  JSONL(".jsonl", ".ndjson", ".json"),
  /** A prompt a line. */
  TXT(".txt"),
  /** A table whose first row has the names of the fields. */
  CSV(".csv", ".tsv"),
  /** A table in columns, each of which has a type. */
  PARQUET(".parquet");

  private static final List<String> COMPRESSED = List.of(".gz", ".zst");

  private final List<String> endings;

  PromptFormat(String... endings) {
    this.endings = List.of(endings);
  }

  /**
   * The format by a file's name, {@code prompts.csv.gz} for example; empty if that says nothing.
   */
  public static Optional<PromptFormat> ofName(String name) {
    String lower = name.toLowerCase(Locale.ROOT);
    String plain =
        COMPRESSED.stream()
            .filter(lower::endsWith)
            .map(ending -> lower.substring(0, lower.length() - ending.length()))
            .findFirst()
            .orElse(lower);
    return Arrays.stream(values())
        .filter(format -> format.endings.stream().anyMatch(plain::endsWith))
        .findFirst();
  }

  /** The format of this name, {@code csv} for example. */
  public static Optional<PromptFormat> find(String name) {
    return Arrays.stream(values()).filter(format -> format.toString().equals(name)).findFirst();
  }

  /** What a line of such a file is. */
  public PromptLineReader.Syntax syntax() {
    return this == TXT ? PromptLineReader.Syntax.TEXT : PromptLineReader.Syntax.JSON;
  }

  /** Whether it has columns, which may be mapped to fields. */
  public boolean isTable() {
    return this == CSV || this == PARQUET;
  }

  /** All names, for messages. */
  public static String all() {
    return Arrays.stream(values()).map(PromptFormat::toString).collect(Collectors.joining(", "));
  }

  @Override
  public String toString() {
    return name().toLowerCase(Locale.ROOT);
  }
}
