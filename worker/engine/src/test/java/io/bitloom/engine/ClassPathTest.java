package io.bitloom.engine;

import static org.junit.jupiter.api.Assertions.assertDoesNotThrow;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;

import io.bitloom.engine.tensor.LibTorch;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** A program that uses the engine gets no cluster with it. */
class ClassPathTest {
  private static final String CUDA_RUNTIME = "/org/bytedeco/cuda/global/cudart.class";

  @ParameterizedTest
  @ValueSource(
      strings = {
        "io.bitloom.v1.Prompt",
        "io.bitloom.common.grpc.GrpcErrors",
        "io.grpc.Status",
        "io.lettuce.core.RedisClient",
        "io.vertx.core.Vertx",
        "picocli.CommandLine",
        "io.micrometer.prometheusmetrics.PrometheusMeterRegistry",
        "io.github.resilience4j.core.IntervalFunction",
        "com.github.weisj.jsvg.SVGDocument",
        "org.yaml.snakeyaml.Yaml"
      })
  void theClusterIsNotOnTheClassPath(String name) {
    assertThrows(ClassNotFoundException.class, () -> Class.forName(name));
  }

  @Test
  void classesOfCudaAreInTheBuildForGpusOnly() {
    boolean present = ClassPathTest.class.getResource(CUDA_RUNTIME) != null;
    assertEquals(LibTorch.builtForGpu(), present);
  }

  @Test
  void theRulesAre() {
    assertDoesNotThrow(() -> Class.forName("io.bitloom.common.error.ErrorCode"));
  }
}
