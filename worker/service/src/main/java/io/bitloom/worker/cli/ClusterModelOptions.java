package io.bitloom.worker.cli;

import com.sun.management.OperatingSystemMXBean;
import io.bitloom.common.config.ConfigException;
import io.bitloom.common.config.Settings;
import io.bitloom.common.config.UserCache;
import io.bitloom.engine.EngineConfig;
import io.bitloom.worker.models.ModelCache;
import java.lang.management.ManagementFactory;
import java.nio.file.Path;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.Spec;
import picocli.CommandLine.Spec.Target;

/** The options about models that the cluster has the worker fetch and load. */
final class ClusterModelOptions {

  private static final String MEMORY = "models-memory";
  private static final String CACHE_SIZE = "model-cache-size";
  private static final String AUTO = "auto";

  /** Of what a GPU has left. */
  private static final double GPU_SHARE = 0.8;

  @Spec(Target.MIXEE)
  private CommandSpec spec;

  @Option(
      names = "--model-cache",
      paramLabel = "DIR",
      defaultValue = "${env:BITLOOM_MODEL_CACHE:-}",
      description =
          "Where files of models from the cluster are kept, for all workers of this machine"
              + " (default: in the user's cache).")
  private String cache;

  @Option(
      names = "--model-cache-size",
      paramLabel = "SIZE",
      defaultValue = "${env:BITLOOM_MODEL_CACHE_SIZE:-200GiB}",
      description =
          "Most bytes there; what no worker has open goes, the oldest first (default: 200GiB).")
  private String cacheSize;

  @Option(
      names = "--models-memory",
      paramLabel = "SIZE",
      defaultValue = "${env:BITLOOM_MODELS_MEMORY:-" + AUTO + "}",
      description =
          "Memory for all models from the cluster together; auto (default): half of the machine's"
              + " or the container's, or most of what the GPU has left.")
  private String memory;

  ModelCache cache() {
    Path folder =
        cache.isBlank() ? UserCache.folder("cluster-models") : Path.of(cache).toAbsolutePath();
    return new ModelCache(folder, bytes(CACHE_SIZE, cacheSize));
  }

  /**
   * Bytes for all models from the cluster; on a GPU what is said now, with the own model loaded.
   */
  long memory(EngineConfig config) {
    if (!memory.equals(AUTO)) {
      return bytes(MEMORY, memory);
    }
    return config.device().cuda()
        ? (long) (GPU_SHARE * config.device().freeGpuBytes())
        : ManagementFactory.getPlatformMXBean(OperatingSystemMXBean.class).getTotalMemorySize() / 2;
  }

  private long bytes(String option, String text) {
    try {
      return Settings.bytes(option, text);
    } catch (ConfigException e) {
      throw new ParameterException(spec.commandLine(), "--" + e.getMessage());
    }
  }
}
