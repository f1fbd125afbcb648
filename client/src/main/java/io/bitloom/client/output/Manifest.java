package io.bitloom.client.output;

import com.google.gson.JsonParseException;
import io.bitloom.common.file.WholeFile;
import io.bitloom.common.manifest.ManifestLine;
import java.io.BufferedInputStream;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.InputStream;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.List;

/**
 * The file {@code manifest.jsonl}: one line for each image and each failed prompt, in the order in
 * which they arrived. It is also the folder's log: a line is written after its image is in place.
 */
final class Manifest {

  static final String FILE = "manifest.jsonl";

  private Manifest() {}

  /** Sees the lines of a manifest. */
  interface Visitor {
    /**
     * @param end position after the line in the file
     */
    void line(ManifestLine line, long end) throws IOException;
  }

  /**
   * Reads a manifest; an incomplete last line, which a killed process leaves, is passed over.
   *
   * @throws IOException also for a line that is not one of a manifest; names it
   */
  static void read(Path manifest, Visitor visitor) throws IOException {
    try (InputStream in = new BufferedInputStream(Files.newInputStream(manifest), 1 << 16)) {
      ByteArrayOutputStream bytes = new ByteArrayOutputStream(1 << 10);
      long number = 1;
      long position = 0;
      for (int b = in.read(); b != -1; b = in.read()) {
        position++;
        if (b == '\n') {
          visitor.line(parse(manifest, number++, bytes), position);
          bytes.reset();
        } else {
          bytes.write(b);
        }
      }
    }
  }

  private static ManifestLine parse(Path manifest, long number, ByteArrayOutputStream bytes)
      throws IOException {
    try {
      ManifestLine line = ManifestLine.parse(bytes.toString(StandardCharsets.UTF_8));
      if (line != null && line.job() != null && line.cursor() != null) {
        return line;
      }
    } catch (JsonParseException e) {
      // Reported below, with the line's place.
    }
    throw new IOException(manifest + ":" + number + ": not a line of a Bitloom manifest");
  }

  /** Chooses lines. */
  interface Choice {
    /**
     * @param end position after the line in the file
     */
    boolean keeps(ManifestLine line, long end);
  }

  /** Leaves only some lines; the file is replaced as a whole. */
  static void keep(Path manifest, Choice kept) throws IOException {
    WholeFile.write(
        manifest,
        out ->
            read(
                manifest,
                (line, end) -> {
                  if (kept.keeps(line, end)) {
                    out.write((line.toJson() + "\n").getBytes(StandardCharsets.UTF_8));
                  }
                }));
  }

  /** Opens a manifest for appending, after cutting what lies beyond a position. */
  static FileChannel open(Path manifest, long end) throws IOException {
    FileChannel channel =
        FileChannel.open(manifest, StandardOpenOption.CREATE, StandardOpenOption.WRITE);
    return channel.truncate(end).position(end);
  }

  /** Appends the lines of one prompt in one piece. */
  static void append(FileChannel channel, List<ManifestLine> lines) throws IOException {
    StringBuilder text = new StringBuilder();
    for (ManifestLine line : lines) {
      text.append(line.toJson()).append('\n');
    }
    ByteBuffer bytes = StandardCharsets.UTF_8.encode(text.toString());
    while (bytes.hasRemaining()) {
      channel.write(bytes);
    }
  }
}
