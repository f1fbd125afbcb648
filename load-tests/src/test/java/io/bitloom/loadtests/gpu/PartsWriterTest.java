package io.bitloom.loadtests.gpu;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;

import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.HexFormat;
import java.util.List;
import java.util.Random;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class PartsWriterTest {
  @TempDir Path folder;

  @Test
  void thePartsTogetherAreWhatWasWritten() throws IOException, NoSuchAlgorithmException {
    byte[] content = new byte[2500];
    new Random(1).nextBytes(content);
    GpuPack.Packed packed;
    try (PartsWriter parts = new PartsWriter(folder, 1000)) {
      parts.write(content[0]);
      parts.write(content, 1, 1999); // ends where a part does
      parts.write(content, 2000, 500);
      packed = parts.finish();
    }

    assertEquals(new GpuPack.Packed(3, 2500), packed);
    List<String> digests = Files.readAllLines(folder.resolve("parts.sha256"));
    ByteArrayOutputStream joined = new ByteArrayOutputStream();
    for (String line : digests) {
      String[] words = line.split(" {2}");
      byte[] part = Files.readAllBytes(folder.resolve(words[1]));
      assertEquals(words[0], sha256(part));
      joined.write(part);
    }
    assertArrayEquals(content, joined.toByteArray());
    assertEquals(sha256(content) + "  -\n", Files.readString(folder.resolve("whole.sha256")));
  }

  private static String sha256(byte[] bytes) throws NoSuchAlgorithmException {
    return HexFormat.of().formatHex(MessageDigest.getInstance("SHA-256").digest(bytes));
  }
}
