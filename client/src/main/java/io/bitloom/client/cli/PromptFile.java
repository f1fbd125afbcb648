package io.bitloom.client.cli;

import com.google.protobuf.ByteString;
import io.bitloom.client.input.PromptInput;
import io.bitloom.common.prompt.CustomIds;
import io.bitloom.common.prompt.PromptLineReader;
import io.bitloom.common.prompt.PromptLineReader.BadLine;
import io.bitloom.common.prompt.PromptLineReader.NumberedPrompt;
import io.bitloom.common.prompt.PromptLineReader.Syntax;
import io.bitloom.v1.Prompt;
import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.util.Iterator;
import java.util.List;
import java.util.NoSuchElementException;
import java.util.SortedMap;
import java.util.Spliterator;
import java.util.Spliterators;
import java.util.TreeMap;
import java.util.function.Consumer;
import java.util.stream.Stream;
import java.util.stream.StreamSupport;

/**
 * Files of prompts that are read twice: once to check them, once to send them.
 *
 * @param name of all of it, for messages
 * @param parts one after the other
 */
record PromptFile(String name, List<Part> parts, PromptCheck check) {

  /** Opens a file from its start. */
  interface Source {
    InputStream open() throws IOException;
  }

  /** One file. */
  record Part(String name, Syntax syntax, Source source) {}

  /**
   * What the files hold.
   *
   * @param prompts good lines
   * @param images images of the good lines
   * @param badLines lines that cannot be taken
   * @param schedules prompts by what they are drawn as: {@link PromptCheck#schedule}
   * @param digest of the good lines, however they are written
   */
  record Contents(
      long prompts,
      long images,
      long badLines,
      SortedMap<String, Long> schedules,
      ByteString digest) {}

  static PromptFile of(PromptInput input, PromptCheck check) throws IOException {
    List<Part> parts =
        input.parts().stream()
            .map(part -> new Part(part.name(), part.format().syntax(), part::open))
            .toList();
    return new PromptFile(input.name(), parts, check);
  }

  /** A file that lies beside this class. */
  static PromptFile bundled(String name, PromptCheck check) {
    Source source = () -> PromptFile.class.getResourceAsStream(name);
    return new PromptFile(name, List.of(new Part(name, Syntax.JSON, source)), check);
  }

  /** Reads all of it and reports every bad line, and what was done to read the files. */
  Contents contents(PromptFileReport report) throws IOException {
    long[] bad = new long[1];
    long prompts = 0;
    long images = 0;
    SortedMap<String, Long> schedules = new TreeMap<>();
    Consumer<BadLine> counted =
        line -> {
          bad[0]++;
          report.badLine(line);
        };
    CustomIds customIds = new CustomIds();
    RequestId requestId = new RequestId();
    for (Part part : parts) {
      try (PromptLineReader reader = reader(part, customIds, counted)) {
        for (NumberedPrompt p = reader.next(); p != null; p = reader.next()) {
          prompts++;
          requestId.add(p.prompt());
          images += check.images(p.prompt());
          schedules.merge(check.schedule(p.prompt()), 1L, Long::sum);
        }
        report.end(part.name(), reader.notes().sentences());
      }
    }
    return new Contents(prompts, images, bad[0], schedules, requestId.promptsDigest());
  }

  /** The good prompts; bad lines are passed over. */
  Reading read() throws IOException {
    return new Reading(this);
  }

  /** Like {@link #read}, with {@link UncheckedIOException} for a file that cannot be read. */
  Stream<Prompt> stream() {
    try {
      Reading reading = read();
      Spliterator<Prompt> prompts =
          Spliterators.spliteratorUnknownSize(reading, Spliterator.ORDERED);
      return StreamSupport.stream(prompts, false).onClose(reading::closeUnchecked);
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  private PromptLineReader reader(Part part, CustomIds customIds, Consumer<BadLine> badLines)
      throws IOException {
    return new PromptLineReader(
        part.name(), part.source().open(), part.syntax(), customIds, check::violations, badLines);
  }

  /** Goes through the prompts of all files. */
  static final class Reading implements Iterator<Prompt>, AutoCloseable {

    private final PromptFile file;
    private final Iterator<Part> parts;
    private final CustomIds customIds = new CustomIds();
    private PromptLineReader reader; // null before the first file
    private NumberedPrompt next;

    private Reading(PromptFile file) throws IOException {
      this.file = file;
      parts = file.parts().iterator();
      advance();
    }

    private void advance() throws IOException {
      next = reader == null ? null : reader.next();
      while (next == null && parts.hasNext()) {
        close();
        reader = file.reader(parts.next(), customIds, bad -> {});
        next = reader.next();
      }
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
        advance();
      } catch (IOException e) {
        throw new UncheckedIOException(e);
      }
      return prompt;
    }

    private void closeUnchecked() {
      try {
        close();
      } catch (IOException e) {
        throw new UncheckedIOException(e);
      }
    }

    @Override
    public void close() throws IOException {
      if (reader != null) {
        reader.close();
      }
    }
  }
}
