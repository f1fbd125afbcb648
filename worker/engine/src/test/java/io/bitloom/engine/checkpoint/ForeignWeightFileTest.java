package io.bitloom.engine.checkpoint;

import static java.nio.charset.StandardCharsets.ISO_8859_1;
import static java.nio.charset.StandardCharsets.UTF_8;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import io.bitloom.engine.tensor.WeightsException;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.MethodSource;

/** What people have where a weight file should be is named, with what to do about it. */
class ForeignWeightFileTest {
  private static final String POINTER =
      "version https://git-lfs.github.com/spec/v1\noid sha256:"
          + "4d7a214614ab2935c943f9e0ff69d22eadbb8f32b1258daaa5e2ca24d17e2393\nsize 12345\n";

  @TempDir private Path folder;

  static Stream<Arguments> foreign() {
    return Stream.of(
        text("model.safetensors", POINTER, "Git LFS pointer", "git lfs pull"),
        text("model.pth", POINTER, "Git LFS pointer", "git lfs pull"),
        text("pytorch_model.bin", POINTER, "Git LFS pointer", "git lfs pull"),
        text("model.safetensors.index.json", POINTER, "Git LFS pointer", "git lfs pull"),
        text("model.rule.json", POINTER, "Git LFS pointer", "git lfs pull"),
        text("a.pth", "<!DOCTYPE html>\n<html><head>", "web page", "download"),
        text("b.pth", "\n  <html lang=\"en\">", "web page", "download"),
        text("c.safetensors", "\ufeff<!doctype HTML>", "web page", "download"),
        text("d.bin", "<HEAD><title>302 Found", "web page", "download"),
        text("a.pth", "<?xml version=\"1.0\"?><Error><Code>AccessDenied", "XML", "fetch it again"),
        text("a.pth", "{\"error\": \"Repository not found\"}", "this is JSON", ".index.json"),
        text("b.safetensors", "[{\"message\":\n", "this is JSON", ".index.json"),
        text("config.json", "{\n  \"architectures\": [\"T5\"]", "this is JSON", ".index.json"),
        text("c.pth", "Entry not found", "this is text (\"Entry not found\")", "fetch it again"),
        text("d.pth", "Zugriff verweigert: schön\r\n", "schön", "fetch it again"),
        binary("empty.pth", "", "this file is empty", "fetch it again"),
        binary("a.safetensors", "\u0007\0\0", "3 bytes are too few", "fetch it again"),
        binary("a.pth.gz", "\u001f\u008b\u0008\0\0\0\0\0", "gzip", "gunzip"),
        binary("a.pth", "BZh91AY&SY", "bzip2", "bunzip2"),
        binary("b.pth", "\u00fd7zXZ\0\0\u0004", "xz", "unxz"),
        binary("c.pth", "(\u00b5/\u00fd\u0004\0", "zstd", "unzstd"),
        binary("d.7z", "7z\u00bc\u00af'\u001c\0\u0004", "7-Zip", "unpack"),
        binary("e.rar", "Rar!\u001a\u0007\u0001\0", "RAR", "unpack"),
        binary("f.tar", "weights/a.pth" + "\0".repeat(244) + "ustar\00000", "tar", "unpack"),
        binary("a.gguf", "GGUF\u0003\0\0\0\u0010\u0001\0\0", "GGUF", "safetensors or .pth"),
        binary("b.bin", "GGUF\u0002\0\0\0", "GGUF", "safetensors or .pth"),
        binary("a.onnx", "\u0008\u0008\u0012\u0007pytorch\u001a\u00052.1.0", "ONNX", ".pth"),
        binary("b.pth", "\u0008\u0003\u0012\u0003tf2onnx", "ONNX", "safetensors or .pth"),
        binary("c.onnx", "\u0008\u0009:\u00cc\u00bf\u0002\n\u0018/x", "ONNX", ".pth"),
        binary("a.h5", "\u0089HDF\r\n\u001a\n\0\0", "HDF5", "safetensors or .pth"),
        binary("a.npy", "\u0093NUMPY\u0001\0v\0", "NumPy", "safetensors"),
        binary("a.pkl", "\u0080\u0004\u0095\u0010\0\0\0\0\0\0\0}.", "Python pickle", "save its"),
        binary("b.ckpt", "\u0080\u0002}q\0(X\u0001\0\0\0", "Python pickle", "save its"),
        binary("a.png", "\u0089PNG\r\n\u001a\n\0\0\0\r", "picture", ""),
        binary("a.so", "\u007fELF\u0002\u0001\u0001\0", "program", ""),
        binary("noise.pth", "\u0001\u0002\u0003\u0004\u0005\u0006\u0007\u0008\u0009", "knows", ""));
  }

  private static Arguments text(String name, String content, String what, String remedy) {
    return Arguments.of(name, content.getBytes(UTF_8), what, remedy);
  }

  private static Arguments binary(String name, String content, String what, String remedy) {
    return Arguments.of(name, content.getBytes(ISO_8859_1), what, remedy);
  }

  @ParameterizedTest(name = "{0}: {2}")
  @MethodSource("foreign")
  void aFileOfAnotherKindIsNamedWithItsRemedy(
      String name, byte[] content, String what, String remedy) throws IOException {
    assertRefused(Files.write(folder.resolve(name), content), what, remedy);
  }

  @Test
  void archivesAndFoldersWithoutWeightsAreNamed() throws IOException {
    assertRefused(
        new ZipBytes().add("fox/model.safetensors", new byte[9]).write(folder.resolve("a.pth")),
        "it holds fox/model.safetensors",
        "unpack");
    assertRefused(
        new ZipBytes().add("weight.npy", new byte[9]).write(folder.resolve("b.pth")),
        "it holds weight.npy",
        "unpack");
    assertRefused(new ZipBytes().write(folder.resolve("c.pth")), "no PyTorch checkpoint", "");
    assertRefused(Files.createDirectory(folder.resolve("empty")), "holds no weight file", "");
    assertRefused(folder.resolve("absent.pth"), "does not exist", "");
  }

  @ParameterizedTest
  @CsvSource({"100, is truncated", "18446744073709551615, beyond the limit", "5, is truncated"})
  void aCutSafetensorsFileIsNamedAsOne(String length, String what) throws IOException {
    Path file = folder.resolve("cut.safetensors");
    assertRefused(SafetensorsBytes.write(file, Long.parseUnsignedLong(length), "{\"a\""), what, "");
  }

  @Test
  void aSafetensorsFileWhoseDataIsCutIsNamedAsOne() throws IOException {
    Path file = folder.resolve("cut.safetensors");
    String header = "{\"a\":{\"dtype\":\"F32\",\"shape\":[2],\"data_offsets\":[0,8]}}";
    assertRefused(SafetensorsBytes.write(file, header, new byte[7]), "cut off", "fetch it again");
  }

  /** The names of shared cases, as they were reported. */
  @ParameterizedTest
  @CsvSource({
    "lfs-pointer.pth, git lfs pull",
    "lfs-pointer.safetensors, git lfs pull",
    "html-page.pth, web page"
  })
  void theReportedCasesAreNamed(String name, String message) {
    Path file = Path.of("..", "..", "..", "shared", "cases", "weights", name);
    assumeTrue(Files.isRegularFile(file), "the shared cases are not here");
    assertRefused(file, message, "");
  }

  private static void assertRefused(Path file, String what, String remedy) {
    WeightsException e = assertThrows(WeightsException.class, () -> Checkpoints.open(file).close());
    assertTrue(e.getMessage().startsWith(file + ": "), e.getMessage());
    assertTrue(e.getMessage().contains(what), e.getMessage());
    assertTrue(e.getMessage().contains(remedy), e.getMessage());
    assertEquals(1, e.getMessage().lines().count());
  }
}
