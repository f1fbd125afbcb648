package io.bitloom.worker.session;

import com.google.protobuf.ByteString;
import com.google.protobuf.Duration;
import io.bitloom.common.net.ServerAddress;
import io.bitloom.training.run.RunObserver;
import io.bitloom.v1.ReportTrainingRunRequest;
import io.bitloom.v1.ReportTrainingRunResponse;
import io.bitloom.v1.TrainingPicture;
import io.bitloom.v1.TrainingRun;
import io.bitloom.v1.TrainingServiceGrpc;
import io.bitloom.v1.TrainingState;
import io.grpc.Grpc;
import io.grpc.ManagedChannel;
import io.grpc.StatusRuntimeException;
import io.grpc.stub.MetadataUtils;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.concurrent.Executors;
import java.util.concurrent.ScheduledExecutorService;
import java.util.concurrent.TimeUnit;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Tells the coordinator how a training run goes, every two seconds, from a thread of its own. A
 * coordinator that does not answer is asked again, the next address first; the run goes on without.
 */
public final class TrainingReports implements RunObserver, AutoCloseable {
  private static final Logger log = LoggerFactory.getLogger(TrainingReports.class);
  private static final int INTERVAL_SECONDS = 2;
  private static final int DEADLINE_SECONDS = 5;
  private static final int MAX_PICTURE_BYTES = 4 << 20;
  private static final long NO_PICTURE = 0;

  private final List<ServerAddress> coordinators;
  private final CoordinatorAccess access;
  private final Runnable stop;
  private final ScheduledExecutorService thread =
      Executors.newSingleThreadScheduledExecutor(
          task -> {
            Thread made = new Thread(task, "training-reports");
            made.setDaemon(true);
            return made;
          });

  // What the device's thread leaves and the reporting thread takes; guarded by this.
  private final TrainingRun.Builder run;
  private final ThinnedCurve training = new ThinnedCurve();
  private final ThinnedCurve validation = new ThinnedCurve();
  private final Map<String, Double> numbers = new TreeMap<>();
  private TrainingPicture picture = TrainingPicture.getDefaultInstance();

  // Of the reporting thread alone.
  private ManagedChannel channel;
  private ServerAddress address;
  private int next;
  private final FailuresInARow failures = new FailuresInARow();
  private long knownPicture = NO_PICTURE;
  private boolean stopped;

  /**
   * Starts to report.
   *
   * @param coordinators where it reports, at one after the other until one answers
   * @param run its id, process, name, mode, place and number of steps
   * @param stop is called when somebody asks the run to end
   */
  public TrainingReports(
      List<ServerAddress> coordinators, CoordinatorAccess access, TrainingRun run, Runnable stop) {
    this.coordinators = List.copyOf(coordinators);
    this.access = access;
    this.run = run.toBuilder().setState(TrainingState.TRAINING_STATE_RUNNING);
    this.stop = stop;
    thread.scheduleWithFixedDelay(this::report, 0, INTERVAL_SECONDS, TimeUnit.SECONDS);
  }

  @Override
  public synchronized void recorded(String kind, long step, Map<String, Double> found) {
    boolean trained = kind.equals("train");
    Double loss = found.get("loss");
    if (loss != null) {
      (trained ? training : validation).add(step, loss);
    }
    run.setStep(Math.max(run.getStep(), step));
    found.forEach((name, value) -> numbers.put(trained ? name : kind + "/" + name, value));
  }

  @Override
  public synchronized void left(java.time.Duration left) {
    run.setLeft(Duration.newBuilder().setSeconds(left.toSeconds()));
  }

  @Override
  public synchronized void pictured(long step, byte[] png) {
    if (png.length <= MAX_PICTURE_BYTES) {
      picture = TrainingPicture.newBuilder().setStep(step).setPng(ByteString.copyFrom(png)).build();
    } else {
      log.warn("The sample grid of {} bytes is too large for the coordinator", png.length);
    }
  }

  /** Says how the run came to its end, once, and reports no more. */
  public void ended(TrainingState state) {
    synchronized (this) {
      run.setState(state);
    }
    thread.shutdown();
    try {
      if (!thread.awaitTermination(DEADLINE_SECONDS, TimeUnit.SECONDS)) {
        thread.shutdownNow();
      }
      report();
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    }
  }

  private synchronized ReportTrainingRunRequest request() {
    ReportTrainingRunRequest.Builder request =
        ReportTrainingRunRequest.newBuilder()
            .setRun(
                run.clone()
                    .addAllTraining(training.points())
                    .addAllValidation(validation.points())
                    .putAllNumbers(numbers));
    if (picture.getStep() != NO_PICTURE && picture.getStep() != knownPicture) {
      request.setPicture(picture);
    }
    return request.build();
  }

  private void report() {
    try {
      if (channel == null) {
        address = coordinators.get(next++ % coordinators.size());
        channel = Grpc.newChannelBuilder(address.target(), access.credentials()).build();
      }
      ReportTrainingRunResponse answer =
          TrainingServiceGrpc.newBlockingStub(channel)
              .withInterceptors(MetadataUtils.newAttachHeadersInterceptor(access.headers()))
              .withDeadlineAfter(DEADLINE_SECONDS, TimeUnit.SECONDS)
              .reportTrainingRun(request());
      failures.over();
      knownPicture = answer.getPictureStep();
      if (answer.getStop() && !stopped) {
        stopped = true;
        log.info("Somebody asked this run to stop");
        stop.run();
      }
    } catch (StatusRuntimeException e) {
      if (failures.isToBeSaid()) {
        log.warn(
            "The coordinator at {} does not take reports of this run: {}",
            address,
            FailuresInARow.why(e.getStatus()));
      }
      knownPicture = NO_PICTURE;
      channel.shutdownNow();
      channel = null;
    }
  }

  @Override
  public void close() {
    thread.shutdownNow();
    if (channel != null) {
      channel.shutdownNow();
    }
  }
}
