package io.bitloom.worker.train.config;

import io.bitloom.common.config.ConfigException;
import io.bitloom.common.net.ServerAddress;
import io.bitloom.worker.tensor.DType;
import io.bitloom.worker.tensor.TorchDevice;
import io.bitloom.worker.train.distributed.Processes;
import io.bitloom.worker.train.run.TrainingRun;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Optional;

/**
 * The fields that every kind of training has.
 *
 * @param folder of the run
 * @param name of the model
 * @param description of the model, for people
 * @param seed of all random draws
 * @param steps of the whole run
 * @param device where it is trained
 * @param threads of one operator on the CPU; 0 leaves it to {@link
 *     io.bitloom.worker.tensor.CpuThreads}
 * @param precision what linear layers compute in
 * @param logEvery steps between lines of the record
 * @param checkpointEvery steps between checkpoints
 * @param keep latest checkpoints that stay
 * @param validateEvery steps between validations; 0 for none
 * @param picturesEvery steps between sample grids; 0 for none
 * @param mostBadSteps steps in a row without finite numbers that end the run
 * @param processes that train together; 1 for this one alone
 * @param meetAt host and port where the processes meet; empty for one process, and where they meet
 *     through a coordinator
 * @param group name that the processes have in common at the coordinator; empty with an address
 * @param patience how long processes wait for each other
 */
public record RunConfig(
    Path folder,
    String name,
    String description,
    long seed,
    long steps,
    TorchDevice device,
    int threads,
    DType precision,
    int logEvery,
    int checkpointEvery,
    int keep,
    int validateEvery,
    int picturesEvery,
    int mostBadSteps,
    int processes,
    Optional<ServerAddress> meetAt,
    String group,
    Duration patience) {

  /** Of an address without one, and of a Unix socket. */
  private static final int NO_PORT = 0;

  /** Types of linear layers. */
  private enum Precision {
    FP32,
    BF16
  }

  /** Reads the fields. */
  public static RunConfig of(YamlFields yaml) {
    YamlFields every = yaml.section("every");
    YamlFields group = yaml.section("processes");
    Optional<ServerAddress> address = address(group);
    int count = group.count("count", 1, 1);
    String name = group.text("group", "");
    if (!name.matches("[A-Za-z0-9-]{0,64}")) {
      throw group.fault("group", "expected letters, digits and dashes, found \"" + name + "\"");
    }
    if (count > 1 && address.isEmpty() == name.isEmpty()) {
      throw group.fault(
          "address", "or group is needed, and not both, for there are " + count + " processes");
    }
    return new RunConfig(
        yaml.path("folder"),
        yaml.text("name", "trained"),
        yaml.text("description", "Trained with Bitloom."),
        yaml.integer("seed", 0, 0, Integer.MAX_VALUE),
        yaml.integer("steps", 1000, 1, Long.MAX_VALUE),
        device(yaml),
        yaml.count("threads", 0, 0),
        yaml.choice("precision", Precision.FP32) == Precision.FP32 ? DType.F32 : DType.BF16,
        every.count("log", 10, 1),
        every.count("checkpoint", 500, 1),
        yaml.count("keep_checkpoints", 2, 1),
        every.count("validation", 0, 0),
        every.count("pictures", 0, 0),
        yaml.count("most_bad_steps", 20, 1),
        count,
        address,
        name,
        Duration.ofSeconds(group.count("timeout_seconds", 300, 1)));
  }

  private static Optional<ServerAddress> address(YamlFields group) {
    String text = group.text("address", "");
    if (text.isEmpty()) {
      return Optional.empty();
    }
    try {
      ServerAddress address = ServerAddress.parse("address", text, NO_PORT);
      if (address.port() != NO_PORT && address.security() == ServerAddress.Security.UNSAID) {
        return Optional.of(address);
      }
    } catch (ConfigException e) {
      // The same fault as an address of another kind.
    }
    throw group.fault("address", "expected HOST:PORT, found \"" + text + "\"");
  }

  private static TorchDevice device(YamlFields yaml) {
    try {
      return TorchDevice.parse(yaml.text("device", "auto"));
    } catch (IllegalArgumentException e) {
      throw yaml.fault("device", e.getMessage());
    }
  }

  /** The loop's settings. */
  public TrainingRun.Settings run(String identity) {
    return new TrainingRun.Settings(
        folder,
        identity,
        steps,
        logEvery,
        checkpointEvery,
        keep,
        validateEvery,
        picturesEvery,
        mostBadSteps,
        device,
        precision);
  }

  /** Whether the processes have to ask a coordinator where they meet. */
  public boolean meetsThroughCoordinator() {
    return processes > 1 && !group.isEmpty();
  }

  /** Waits for the other processes, if there are any, at the address of the configuration. */
  public Processes meet(int rank) {
    return processes == 1
        ? Processes.alone()
        : meet(rank, meetAt.orElseThrow().host(), meetAt.orElseThrow().port());
  }

  /** Waits for the other processes at an address. */
  public Processes meet(int rank, String host, int port) {
    return Processes.meet(new Processes.Rendezvous(host, port, rank, processes, patience));
  }
}
