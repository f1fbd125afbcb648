package io.bitloom.loadtests.gpu;

import static org.junit.jupiter.api.Assertions.assertEquals;

import io.bitloom.common.schedule.Scale;
import io.bitloom.common.schedule.ScaleSchedules;
import io.bitloom.common.schedule.SizeClass;
import io.bitloom.engine.model.InfinityConfig;
import io.bitloom.engine.model.InfinityPreset;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import org.junit.jupiter.api.Test;

class ModelFlopsTest {
  private static final InfinityConfig CONFIG =
      InfinityConfig.parse(InfinityPreset.MODEL_2B.settings(), 32);
  private static final List<Scale> SCALES = ScaleSchedules.nearest(1, SizeClass.PIXELS_1M).scales();

  /** Counted by hand for 2B at 1024²: 14 C² a token in linear layers, 4 C a pair of tokens. */
  @Test
  void aGuidedImageIsTwoRows() {
    ModelFlops image = ModelFlops.ofImage(CONFIG, SCALES, Collections.nCopies(SCALES.size(), 4.0));

    assertEquals(79.1e12, image.linear(), 0.1e12);
    assertEquals(36.0e12, image.attention(), 0.1e12);
  }

  @Test
  void scalesWithoutGuidanceAreOneRow() {
    List<Double> guidance = new ArrayList<>(Collections.nCopies(SCALES.size(), 4.0));
    guidance.set(SCALES.size() - 1, 1.0);

    double all =
        ModelFlops.ofImage(CONFIG, SCALES, Collections.nCopies(SCALES.size(), 4.0)).total();
    double last = ModelFlops.ofScale(CONFIG, SCALES, SCALES.size() - 1).total();

    assertEquals(all - last, ModelFlops.ofImage(CONFIG, SCALES, guidance).total(), 1e3);
    assertEquals(0.46, 2 * last / all, 0.01);
  }

  /** The operators that are run one by one are those that are counted. */
  @Test
  void operatorsHaveTheOperationsOfTheirScale() {
    for (int k = 0; k < SCALES.size(); k++) {
      ModelFlops row = ModelFlops.ofScale(CONFIG, SCALES, k);
      double products = 0;
      double attention = 0;
      for (Operator operator : Operator.ofScale(CONFIG, SCALES, k, 1, DrawnBatch.TOKENS)) {
        double flop = operator.calls() * operator.flop();
        products += operator.kind() == Operator.Kind.PRODUCT ? flop : 0;
        attention += operator.name().equals("self") ? flop : 0;
      }
      assertEquals(row.linear(), products, 1e-9 * products);
      assertEquals(row.attention(), attention, 1e-9 * attention);
    }
  }
}
