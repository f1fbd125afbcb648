package io.bitloom.engine.codes;

import static org.junit.jupiter.api.Assertions.assertEquals;

import java.util.List;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;

class CodebookCodesTest {
  /** {@code [argmin(abs(linspace(1/12, 11/12, 4) - k/9)) for k in range(10)]} of numpy. */
  private static final List<Integer> OFFICIAL_PHIS = List.of(0, 0, 1, 1, 1, 2, 2, 3, 3, 3);

  @Test
  void tenScalesShareFourConvolutionsAsInTheReleasedModels() {
    List<Integer> shared =
        IntStream.range(0, 10).mapToObj(k -> CodebookCodes.sharedPhi(k, 10, 4)).toList();
    assertEquals(OFFICIAL_PHIS, shared);
  }
}
