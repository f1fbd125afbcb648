package io.bitloom.engine.text;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.bitloom.engine.tensor.PackedRows;
import io.bitloom.engine.tensor.Scope;
import io.bitloom.engine.tensor.Tensors;
import io.bitloom.engine.tensor.WeightsException;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class ClassLabelsTest {
  private static final String NAMES =
      """
      tench, Tinca tinca
      crane
      Siamese cat, Siamese
      crane, crane truck
      """;

  @TempDir private Path folder;
  private Path file;

  @BeforeEach
  void writeNames() throws IOException {
    file = Files.writeString(folder.resolve("classes.txt"), NAMES);
  }

  @Test
  void aNameOfSeveralAWholeLineAndANumberAreLabels() {
    try (Scope scope = Scope.open();
        TextEncoder labels = ClassLabels.read(file, 4)) {
      PackedRows encoded =
          labels.encode(
              List.of("Tinca  Tinca", " TENCH ", "siamese cat, siamese", "1", "crane truck"), 1);
      assertArrayEquals(new float[] {0, 0, 2, 1, 3}, Tensors.floats(encoded.rows()));
      assertEquals(List.of(1, 1, 1, 1, 1), encoded.lengths());
      assertEquals(Optional.empty(), labels.refusal("tench"));
    }
  }

  @Test
  void aTextThatIsNoClassOrSeveralHasARefusalThatSaysWhatWouldDo() {
    try (TextEncoder labels = ClassLabels.read(file, 4)) {
      for (String text : List.of("a red fox", "4", "-1", "", "1.0", "99999999999")) {
        String refusal = labels.refusal(text).orElseThrow();
        assertTrue(refusal.contains("from 0 to 3"), refusal);
        assertThrows(IllegalArgumentException.class, () -> labels.encode(List.of(text), 1));
      }
      String ambiguous = labels.refusal("Crane").orElseThrow();
      assertTrue(ambiguous.contains("classes [1, 3]"), ambiguous);
    }
  }

  @Test
  void aFileThatDoesNotNameEveryClassIsRefused() throws IOException {
    assertRefused("has 4 lines, the model has 5 classes", 5);
    Files.writeString(file, "tench\n\ncrane\n");
    assertRefused("line 2: has an empty name", 3);
    Files.writeString(file, "tench,, Tinca\ncrane\n");
    assertRefused("line 1: has an empty name", 2);
    Files.write(file, new byte[] {(byte) 0xff, '\n'});
    assertRefused("is not UTF-8", 1);
  }

  private void assertRefused(String reason, int classes) {
    String message =
        assertThrows(WeightsException.class, () -> ClassLabels.read(file, classes)).getMessage();
    assertTrue(message.startsWith(file.toString()) && message.contains(reason), message);
  }
}
