package io.bitloom.worker.session;

import io.bitloom.common.net.ServerAddress;
import io.bitloom.v1.MeetTrainingProcessesRequest;
import io.bitloom.v1.TrainingServiceGrpc;
import io.grpc.Grpc;
import io.grpc.ManagedChannel;
import io.grpc.Status;
import io.grpc.StatusRuntimeException;
import io.grpc.stub.MetadataUtils;
import java.io.IOException;
import java.net.DatagramSocket;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.ServerSocket;
import java.net.UnknownHostException;
import java.time.Duration;
import java.util.concurrent.TimeUnit;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** Finds the other processes of a training run through a coordinator that all of them reach. */
public final class TrainingMeeting {
  private static final Logger log = LoggerFactory.getLogger(TrainingMeeting.class);
  private static final int DEADLINE_SECONDS = 5;
  private static final int PAUSE_MILLIS = 500;

  private final ServerAddress coordinator;
  private final CoordinatorAccess access;
  private final FailuresInARow failures = new FailuresInARow();

  /**
   * A meeting at a coordinator.
   *
   * @param coordinator a host, for the way there tells a process its own address
   */
  public TrainingMeeting(ServerAddress coordinator, CoordinatorAccess access) {
    this.coordinator = coordinator;
    this.access = access;
  }

  /**
   * Where the process of rank 0 listens. It picks a free port of the address from which it reaches
   * the coordinator; the others wait until it has come.
   *
   * @param group name that the processes share
   * @param patience how long to wait for coordinator and rank 0
   * @throws IOException if they do not come in time, or the coordinator refuses
   */
  public InetSocketAddress find(String group, int rank, int count, Duration patience)
      throws IOException {
    if (coordinator.isSocket()) {
      throw new IOException(
          "processes meet at a coordinator of host and port, not at " + coordinator);
    }
    MeetTrainingProcessesRequest.Builder request =
        MeetTrainingProcessesRequest.newBuilder().setGroup(group).setRank(rank).setCount(count);
    long end = System.nanoTime() + patience.toNanos();
    ManagedChannel channel =
        Grpc.newChannelBuilder(coordinator.target(), access.credentials()).build();
    try {
      do {
        String address = ask(channel, request);
        if (!address.isEmpty()) {
          ServerAddress first = ServerAddress.parse("address of rank 0", address, 0);
          return InetSocketAddress.createUnresolved(first.host(), first.port());
        }
        Thread.sleep(PAUSE_MILLIS);
      } while (System.nanoTime() < end);
      throw new IOException(
          "the processes of group " + group + " did not meet at " + coordinator + " in time");
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      throw new IOException("interrupted", e);
    } finally {
      channel.shutdownNow();
    }
  }

  /** The address of rank 0; empty if it is not known yet. */
  private String ask(ManagedChannel channel, MeetTrainingProcessesRequest.Builder request)
      throws IOException {
    try {
      if (request.getRank() == 0 && request.getAddress().isEmpty()) {
        request.setAddress(ownAddress());
      }
      String address =
          TrainingServiceGrpc.newBlockingStub(channel)
              .withInterceptors(MetadataUtils.newAttachHeadersInterceptor(access.headers()))
              .withDeadlineAfter(DEADLINE_SECONDS, TimeUnit.SECONDS)
              .meetTrainingProcesses(request.build())
              .getAddress();
      failures.over();
      return address;
    } catch (UnknownHostException e) {
      return noAnswer("unknown host " + coordinator.host());
    } catch (StatusRuntimeException e) {
      Status.Code code = e.getStatus().getCode();
      if (code != Status.Code.UNAVAILABLE && code != Status.Code.DEADLINE_EXCEEDED) {
        throw new IOException(coordinator + ": " + e.getStatus().getDescription(), e);
      }
      return noAnswer(FailuresInARow.why(e.getStatus()));
    }
  }

  private String noAnswer(String reason) {
    if (failures.isToBeSaid()) {
      log.warn("No coordinator at {} to meet at ({}), trying on", coordinator, reason);
    }
    return "";
  }

  private String ownAddress() throws IOException {
    InetAddress target = InetAddress.getByName(coordinator.host());
    try (DatagramSocket way = new DatagramSocket();
        ServerSocket free = new ServerSocket(0)) {
      way.connect(target, coordinator.port()); // sends nothing
      String host = way.getLocalAddress().getHostAddress();
      return (host.indexOf(':') < 0 ? host : "[" + host + "]") + ":" + free.getLocalPort();
    }
  }
}
