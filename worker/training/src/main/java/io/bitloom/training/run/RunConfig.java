package io.bitloom.training.run;

import io.bitloom.common.net.ServerAddress;
import io.bitloom.engine.tensor.DType;
import io.bitloom.engine.tensor.TorchDevice;
import io.bitloom.training.config.ConfigField;
import io.bitloom.training.config.ConfigFile;
import io.bitloom.training.config.FieldFault;
import io.bitloom.training.distributed.Processes;
import java.nio.file.Path;
import java.time.Duration;

/**
 * The fields of a configuration file that every kind of training has.
 *
 * @param folder of the run
 * @param name of the model
 * @param description of the model, for people
 * @param seed of all random draws
 * @param steps of the whole run
 * @param device where it is trained
 * @param threads of one operator on the CPU; 0 leaves it to {@link
 *     io.bitloom.engine.tensor.cpu.CpuThreads}
 * @param precision what linear layers compute in
 * @param every how often something is done
 * @param keepCheckpoints latest checkpoints that stay
 * @param mostBadSteps steps in a row without finite loss and gradients that end the run
 * @param processes that train together
 */
public record RunConfig(
    @ConfigField(required = true) Path folder,
    @ConfigField("trained") String name,
    @ConfigField("Trained with Bitloom.") String description,
    @ConfigField(value = "0", most = Integer.MAX_VALUE) long seed,
    @ConfigField(value = "1000", least = 1) long steps,
    @ConfigField("auto") TorchDevice device,
    @ConfigField("0") int threads,
    @ConfigField("fp32") DType precision,
    Every every,
    @ConfigField(value = "2", least = 1) int keepCheckpoints,
    @ConfigField(value = "20", least = 1) int mostBadSteps,
    Group processes) {

  /** Fills in the sections that are not there. */
  public RunConfig {
    every = every == null ? ConfigFile.defaults(Every.class) : every;
    processes = processes == null ? ConfigFile.defaults(Group.class) : processes;
  }

  /**
   * The section {@code every}, in steps.
   *
   * @param log between lines of the record
   * @param checkpoint between checkpoints
   * @param validation between validations; 0 for none
   * @param pictures between sample grids; 0 for none
   */
  public record Every(
      @ConfigField(value = "10", least = 1) int log,
      @ConfigField(value = "500", least = 1) int checkpoint,
      @ConfigField("0") int validation,
      @ConfigField("0") int pictures) {}

  /**
   * The section {@code processes}: those that train together.
   *
   * @param count of processes; 1 for this one alone
   * @param address where they meet; null for one process, and where they meet through a coordinator
   * @param group name that they have in common at the coordinator; empty with an address
   * @param timeoutSeconds how long they wait for each other
   */
  public record Group(
      @ConfigField(value = "1", least = 1) int count,
      @ConfigField ServerAddress address,
      @ConfigField String group,
      @ConfigField(value = "300", least = 1) int timeoutSeconds) {
    /**
     * @throws FieldFault if there is no place to meet, or two
     */
    public Group {
      group = group == null ? "" : group;
      if (!group.matches("[A-Za-z0-9-]{0,64}")) {
        throw new FieldFault(
            "group", "expected letters, digits and dashes, found \"" + group + "\"");
      }
      if (count > 1 && (address == null) == group.isEmpty()) {
        throw new FieldFault(
            "address", "or group is needed, and not both, for there are " + count + " processes");
      }
    }

    /** How long the processes wait for each other. */
    public Duration patience() {
      return Duration.ofSeconds(timeoutSeconds);
    }
  }

  /** Whether the processes have to ask a coordinator where they meet. */
  public boolean meetsThroughCoordinator() {
    return processes.count() > 1 && !processes.group().isEmpty();
  }

  /** Waits for the other processes, if there are any, at the address of the configuration. */
  public Processes meet(int rank) {
    return processes.count() == 1
        ? Processes.alone()
        : meet(rank, processes.address().host(), processes.address().port());
  }

  /** Waits for the other processes at an address. */
  public Processes meet(int rank, String host, int port) {
    return Processes.meet(
        new Processes.Rendezvous(host, port, rank, processes.count(), processes.patience()),
        device);
  }
}
