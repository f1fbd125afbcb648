package io.bitloom.training.run;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.bitloom.engine.tensor.DType;
import io.bitloom.engine.tensor.TorchDevice;
import java.util.Map;
import org.junit.jupiter.api.Test;

class ThroughputTest {
  private static final double NEVER = 1e60;

  private static StepReport step(double flops) {
    return step(flops, 0);
  }

  private static StepReport step(double flops, double recomputed) {
    return new StepReport(true, 1, 1, 8, 100, flops, recomputed, Map.of());
  }

  @Test
  void aRunThatIsFasterThanWhatWasMeasuredUsesAllOfTheDeviceAndNotMore() {
    Throughput throughput = new Throughput(1, 1);
    throughput.add(step(NEVER));
    assertEquals(1, throughput.rates(10).utilisation());

    throughput.add(step(NEVER / 1e30));
    double slower = throughput.rates(10).utilisation();
    assertTrue(slower > 0 && slower < 1, "of the fastest stretch: " + slower);
  }

  @Test
  void whatIsComputedTwiceCountsForTheDeviceButNotForTheModel() {
    Throughput throughput = new Throughput(4, 1);
    throughput.add(step(3 * NEVER, NEVER));
    Throughput.Rates rates = throughput.rates(10);
    assertEquals(1, rates.hardwareUtilisation());
    assertEquals(0.75, rates.utilisation(), 1e-12);
  }

  @Test
  void productsAreMeasuredInTheTypeOfTheRun() {
    assertTrue(Throughput.peakFlops(TorchDevice.CPU, DType.F32) > 1e8);
    assertTrue(Throughput.peakFlops(TorchDevice.CPU, DType.BF16) > 1e8);
  }
}
