package io.bitloom.worker.cli;

import io.bitloom.engine.tensor.DeviceThread;
import io.bitloom.engine.tensor.cpu.CpuThreads;
import io.bitloom.training.TrainingJob;
import io.bitloom.training.distributed.Processes;
import io.bitloom.training.run.Learner;
import io.bitloom.training.run.RunConfig;
import io.bitloom.training.run.RunObserver;
import io.bitloom.training.run.TrainingData;
import io.bitloom.training.run.TrainingLoop;
import io.bitloom.v1.TrainingState;
import io.bitloom.worker.session.TrainingMeeting;
import io.bitloom.worker.session.TrainingReports;
import java.io.IOException;
import java.io.PrintWriter;
import java.net.InetSocketAddress;
import java.time.Duration;
import java.util.Locale;
import java.util.concurrent.atomic.AtomicReference;
import java.util.function.Function;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import picocli.CommandLine;

/** The modes of the worker that train: one run from a configuration file. */
final class TrainingMode {
  private static final Logger log = LoggerFactory.getLogger(TrainingMode.class);

  private final TrainingJob job;
  private final int rank;
  private final Function<Runnable, TrainingReports> reporting; // null where nobody is told
  private final TrainingMeeting meeting; // null without a coordinator
  private final PrintWriter out;
  private final AtomicReference<TrainingLoop> running = new AtomicReference<>();
  private volatile boolean stopped;

  /**
   * A run that is not started yet.
   *
   * @param rank number of this process among those that train together
   * @param reporting starts reports to a coordinator, which may call what it is given to stop the
   *     run; null for none
   * @param meeting where processes find each other that have no address in common; null for none
   * @param out where progress goes
   */
  TrainingMode(
      TrainingJob job,
      int rank,
      Function<Runnable, TrainingReports> reporting,
      TrainingMeeting meeting,
      PrintWriter out) {
    this.job = job;
    this.rank = rank;
    this.reporting = rank == 0 ? reporting : null;
    this.meeting = meeting;
    this.out = out;
  }

  /**
   * Trains until the end, or until a signal, after which the process ends with 0.
   *
   * @param grace most time that the last step and the checkpoint may take after a signal
   */
  int run(Duration grace, boolean exitOnStdinClose) throws IOException {
    Termination termination = Termination.onSignal(this::stop, grace);
    if (exitOnStdinClose) {
      Termination.onStdinEnd();
    }
    int exitCode = CommandLine.ExitCode.SOFTWARE;
    try (DeviceThread device = new DeviceThread(job.run().device());
        TrainingReports reports = reporting == null ? null : reporting.apply(this::stop)) {
      TrainingLoop.Outcome outcome = outcome(device, reports);
      boolean good =
          outcome == TrainingLoop.Outcome.FINISHED || outcome == TrainingLoop.Outcome.STOPPED;
      exitCode = good ? CommandLine.ExitCode.OK : CommandLine.ExitCode.SOFTWARE;
      line("Training ended: " + outcome.name().toLowerCase(Locale.ROOT));
    } finally {
      termination.finished(exitCode);
    }
    return exitCode;
  }

  private TrainingLoop.Outcome outcome(DeviceThread device, TrainingReports reports)
      throws IOException {
    TrainingState state = TrainingState.TRAINING_STATE_FAILED;
    try {
      TrainingLoop.Outcome outcome =
          device.call(() -> train(reports == null ? RunObserver.NONE : reports));
      state = TrainingState.valueOf("TRAINING_STATE_" + outcome.name());
      return outcome;
    } finally {
      if (reports != null) {
        reports.ended(state);
      }
    }
  }

  private TrainingLoop.Outcome train(RunObserver observer) throws IOException {
    RunConfig config = job.run();
    if (!config.device().cuda()) {
      log.info("{}", CpuThreads.use(config.threads()));
    }
    TrainingLoop.prepare(config.folder());
    TrainingData data = job.data();
    try (Processes processes = meet(config);
        Learner learner = job.learner(processes)) {
      TrainingLoop run =
          new TrainingLoop(config, job.identity(), learner, processes, data, this::line, observer);
      running.set(run);
      if (stopped) {
        run.stop();
      }
      return run.run();
    }
  }

  private Processes meet(RunConfig config) throws IOException {
    if (!config.meetsThroughCoordinator()) {
      return config.meet(rank);
    }
    InetSocketAddress first =
        meeting.find(
            config.processes().group(),
            rank,
            config.processes().count(),
            config.processes().patience());
    return config.meet(rank, first.getHostString(), first.getPort());
  }

  private void stop() {
    stopped = true;
    TrainingLoop run = running.get();
    if (run != null) {
      run.stop();
    }
  }

  private void line(String text) {
    out.println(text);
    out.flush();
  }
}
