package io.bitloom.engine.checkpoint;

import static java.nio.charset.StandardCharsets.ISO_8859_1;
import static java.nio.charset.StandardCharsets.UTF_8;

import io.bitloom.engine.tensor.WeightsException;
import java.io.IOException;
import java.io.InputStream;
import java.nio.ByteBuffer;
import java.nio.CharBuffer;
import java.nio.charset.CoderResult;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.util.List;
import java.util.Locale;
import java.util.Optional;
import java.util.function.Predicate;

/**
 * The one place that knows what people have where a weight file should be: pointers, error pages,
 * archives and the files of other programs. Each is told by its first bytes, and comes with what to
 * do about it.
 */
final class ForeignWeightFile {
  private static final int HEAD_BYTES = 512;
  private static final int LEAST_BYTES = 8;
  private static final int TAR_MAGIC = 257;
  private static final char FRAME = 0x95;
  private static final int QUOTED = 40;

  private static final String FETCH_AGAIN = "; fetch it again";

  private record Kind(Predicate<String> head, String description) {}

  private static final List<Kind> KINDS =
      List.of(
          starts(
              "version https://git-lfs.github.com/spec/",
              "this is a Git LFS pointer, the weights were not downloaded: git lfs pull"),
          new Kind(
              ForeignWeightFile::isWebPage,
              "this is a web page, not a weight file: open the address in a browser (a login or a"
                  + " licence may be needed), then download the file itself"),
          starts("<?xml", "this is an XML document, as storage servers send errors" + FETCH_AGAIN),
          new Kind(
              ForeignWeightFile::isJson,
              "this is JSON, not a weight file: an error of the server it came from, or settings;"
                  + " the index of a sharded model is called ….index.json"),
          starts("\u001f\u008b", "this is compressed with gzip: gunzip it, or tar -xzf, first"),
          starts("\u00fd7zXZ\0", "this is compressed with xz: unxz it, or tar -xJf, first"),
          starts("BZh", "this is compressed with bzip2: bunzip2 it, or tar -xjf, first"),
          starts("(\u00b5/\u00fd", "this is compressed with zstd: unzstd it first"),
          starts("7z\u00bc\u00af'\u001c", "this is a 7-Zip archive: unpack it first"),
          starts("Rar!\u001a\u0007", "this is a RAR archive: unpack it first"),
          new Kind(
              head -> head.startsWith("ustar", TAR_MAGIC),
              "this is a tar archive: unpack it (tar -xf) first"),
          starts(
              "GGUF",
              "this is a GGUF file of llama.cpp, whose packed weights Bitloom does not read: take"
                  + " the model's safetensors or .pth files"),
          starts(
              "\u0089HDF\r\n\u001a\n",
              "this is an HDF5 file, as Keras writes it: take the model's safetensors or .pth"
                  + " files"),
          new Kind(
              ForeignWeightFile::isOnnx,
              "this is an ONNX graph, not a weight file: take the model's safetensors or .pth"
                  + " files"),
          starts(
              "\u0093NUMPY",
              "this is a NumPy array: save the tensors under their names as safetensors"),
          new Kind(
              head -> isPickle(head) && !LegacyTorch.is(head),
              "this is a Python pickle without tensor files, not a checkpoint of torch.save: load"
                  + " it in Python, and save its tensors as safetensors"),
          starts("\u0089PNG", "this is a picture, not a weight file"),
          starts("\u00ff\u00d8\u00ff", "this is a picture, not a weight file"),
          starts("%PDF", "this is a PDF document, not a weight file"),
          starts("\u007fELF", "this is a program, not a weight file"));

  private ForeignWeightFile() {}

  /**
   * The first bytes of a file, one character a byte.
   *
   * @throws WeightsException if it cannot be read
   */
  static String head(Path file) {
    try (InputStream in = Files.newInputStream(file)) {
      return new String(in.readNBytes(HEAD_BYTES), ISO_8859_1);
    } catch (NoSuchFileException e) {
      throw new WeightsException(file.toString(), "does not exist", e);
    } catch (IOException e) {
      throw new WeightsException(file.toString(), "cannot be read: " + e.getMessage(), e);
    }
  }

  /**
   * Refuses what is no weight file but something known.
   *
   * @param json whether the file is to be JSON
   * @throws WeightsException that says what it is and what to do; or if it cannot be read
   */
  static void refuse(Path file, boolean json) {
    String head = head(file);
    if (json && (head.strip().startsWith("{") || head.strip().startsWith("["))) {
      return;
    }
    Optional<String> kind = recognise(head);
    if (kind.isPresent()) {
      throw new WeightsException(file.toString(), kind.get());
    }
  }

  private static Optional<String> recognise(String head) {
    if (head.isEmpty()) {
      return Optional.of("this file is empty" + FETCH_AGAIN);
    }
    Optional<String> known =
        KINDS.stream().filter(kind -> kind.head().test(head)).map(Kind::description).findFirst();
    if (known.isEmpty() && isText(head)) {
      String line =
          new String(head.getBytes(ISO_8859_1), UTF_8).strip().lines().findFirst().orElse("");
      return Optional.of(
          "this is text (\""
              + line.substring(0, Math.min(QUOTED, line.length()))
              + "\"), not a weight file"
              + FETCH_AGAIN);
    }
    return known;
  }

  private static Kind starts(String magic, String description) {
    return new Kind(head -> head.startsWith(magic), description);
  }

  private static boolean isWebPage(String head) {
    String start = head.replace("\u00ef\u00bb\u00bf", "").strip().toLowerCase(Locale.ROOT);
    return start.startsWith("<!doctype") || start.startsWith("<html") || start.startsWith("<head");
  }

  private static boolean isJson(String head) {
    String start = head.strip();
    return isText(head) && (start.startsWith("{") || start.startsWith("["));
  }

  /** A protobuf message: field 1, the version as a small integer, and then a field of bytes. */
  private static boolean isOnnx(String head) {
    return head.length() > LEAST_BYTES
        && head.charAt(0) == 0x08
        && head.charAt(1) > 0
        && head.charAt(1) < 32
        && (head.charAt(2) == 0x12 || head.charAt(2) == 0x3a || head.charAt(2) == 0x42)
        && head.charAt(LEAST_BYTES - 1) != 0;
  }

  private static boolean isPickle(String head) {
    return head.length() >= 2
        && head.charAt(0) == 0x80
        && head.charAt(1) >= 2
        && head.charAt(1) <= 5
        && (head.length() < LEAST_BYTES
            || head.charAt(LEAST_BYTES - 1) != 0
            || head.charAt(2) == FRAME && head.indexOf('{') != LEAST_BYTES);
  }

  /** UTF-8 without control characters, which neither zip nor the length of a header is. */
  private static boolean isText(String head) {
    CoderResult decoded =
        UTF_8
            .newDecoder()
            .decode(
                ByteBuffer.wrap(head.getBytes(ISO_8859_1)), CharBuffer.allocate(HEAD_BYTES), false);
    return !decoded.isError()
        && head.chars().allMatch(c -> c == '\t' || c == '\n' || c == '\r' || c >= ' ' && c != 127);
  }
}
