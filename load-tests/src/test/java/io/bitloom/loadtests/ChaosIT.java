package io.bitloom.loadtests;

import static java.nio.charset.StandardCharsets.UTF_8;

import io.bitloom.loadtests.chaos.ChaosPlan;
import io.bitloom.loadtests.chaos.ChaosRun;
import java.io.PrintWriter;
import java.nio.file.Path;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class ChaosIT {

  /** Another one can be tried with {@code -Dchaos.seed=…}; the long form takes any. */
  private static final long SEED = Long.getLong("chaos.seed", 4);

  @TempDir Path folder;

  @Test
  void nothingIsLostDoubledOrChangedWhateverIsKilled() throws Exception {
    run(ChaosPlan.brief(SEED));
  }

  @Test
  void nothingIsLostDoubledOrChangedWhenMastersOfARedisClusterAreKilled() throws Exception {
    run(ChaosPlan.brief(SEED).onRedisCluster());
  }

  private void run(ChaosPlan plan) throws Exception {
    new ChaosRun(plan, new PrintWriter(System.out, true, UTF_8)).run(folder);
  }
}
