package io.bitloom.client.cli;

import io.bitloom.common.error.FieldViolation;
import io.bitloom.common.prompt.PromptLineReader;
import io.bitloom.common.prompt.PromptLineReader.BadLine;
import io.bitloom.common.prompt.PromptLineReader.NumberedPrompt;
import io.bitloom.v1.Prompt;
import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.util.Iterator;
import java.util.List;
import java.util.NoSuchElementException;
import java.util.SortedMap;
import java.util.TreeMap;
import java.util.function.Consumer;
import java.util.function.Function;

/**
 * A JSONL file of prompts that is read twice: once to check it, once to send it.
 *
 * @param name for messages
 */
record PromptFile(String name, Source source, PromptCheck check) {

  /** Opens the file from its start. */
  interface Source {
    InputStream open() throws IOException;
  }

  /**
   * What a file holds.
   *
   * @param prompts good lines
   * @param images images of the good lines
   * @param badLines lines that cannot be taken
   * @param schedules prompts by scale schedule, or by template where the size is the model's matter
   * @param notes what was done to read them
   */
  record Contents(
      long prompts,
      long images,
      long badLines,
      SortedMap<String, Long> schedules,
      List<String> notes) {}

  static PromptFile of(PromptInput input, PromptCheck check) {
    return new PromptFile(input.name(), () -> Files.newInputStream(input.file()), check);
  }

  /** A file that lies beside this class. */
  static PromptFile bundled(String name, PromptCheck check) {
    return new PromptFile(name, () -> PromptFile.class.getResourceAsStream(name), check);
  }

  /** Reads the whole file; every bad line is reported. */
  Contents contents(Consumer<BadLine> badLines) throws IOException {
    long[] bad = new long[1];
    long prompts = 0;
    long images = 0;
    SortedMap<String, Long> schedules = new TreeMap<>();
    Consumer<BadLine> counted =
        line -> {
          bad[0]++;
          badLines.accept(line);
        };
    try (PromptLineReader reader = reader(counted)) {
      for (NumberedPrompt p = reader.next(); p != null; p = reader.next()) {
        prompts++;
        images += check.images(p.prompt());
        schedules.merge(check.schedule(p.prompt()), 1L, Long::sum);
      }
      return new Contents(prompts, images, bad[0], schedules, reader.notes().sentences());
    }
  }

  /** The good prompts; bad lines are passed over. */
  Reading read() throws IOException {
    return new Reading(reader(bad -> {}));
  }

  private PromptLineReader reader(Consumer<BadLine> badLines) throws IOException {
    Function<Prompt, List<FieldViolation>> rules = check::violations;
    return new PromptLineReader(name, source.open(), rules, badLines);
  }

  /** Goes through a file's prompts. */
  static final class Reading implements Iterator<Prompt>, AutoCloseable {

    private final PromptLineReader reader;
    private NumberedPrompt next;

    private Reading(PromptLineReader reader) throws IOException {
      this.reader = reader;
      next = reader.next();
    }

    /** Passes over prompts that were sent before. */
    Reading skip(long count) {
      for (long i = 0; i < count && hasNext(); i++) {
        next();
      }
      return this;
    }

    @Override
    public boolean hasNext() {
      return next != null;
    }

    @Override
    public Prompt next() {
      if (next == null) {
        throw new NoSuchElementException();
      }
      Prompt prompt = next.prompt();
      try {
        next = reader.next();
      } catch (IOException e) {
        throw new UncheckedIOException(e);
      }
      return prompt;
    }

    @Override
    public void close() throws IOException {
      reader.close();
    }
  }
}
