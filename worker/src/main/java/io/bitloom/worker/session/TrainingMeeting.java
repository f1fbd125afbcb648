package io.bitloom.worker.session;

import io.bitloom.v1.MeetTrainingProcessesRequest;
import io.bitloom.v1.TrainingServiceGrpc;
import io.grpc.ManagedChannel;
import io.grpc.Status;
import io.grpc.StatusRuntimeException;
import io.grpc.netty.shaded.io.grpc.netty.NettyChannelBuilder;
import io.grpc.stub.MetadataUtils;
import java.io.IOException;
import java.net.DatagramSocket;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.ServerSocket;
import java.time.Duration;
import java.util.concurrent.TimeUnit;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** Finds the other processes of a training run through a coordinator that all of them reach. */
public final class TrainingMeeting {
  private static final Logger log = LoggerFactory.getLogger(TrainingMeeting.class);
  private static final int DEADLINE_SECONDS = 5;
  private static final int PAUSE_MILLIS = 500;

  private final String coordinator;
  private final CoordinatorAccess access;

  /** A meeting at a coordinator, {@code host:port}. */
  public TrainingMeeting(String coordinator, CoordinatorAccess access) {
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
    MeetTrainingProcessesRequest request =
        MeetTrainingProcessesRequest.newBuilder()
            .setGroup(group)
            .setRank(rank)
            .setCount(count)
            .setAddress(rank == 0 ? ownAddress() : "")
            .build();
    long end = System.nanoTime() + patience.toNanos();
    ManagedChannel channel =
        NettyChannelBuilder.forTarget(coordinator, access.credentials()).build();
    try {
      while (System.nanoTime() < end) {
        String address = ask(channel, request);
        if (!address.isEmpty()) {
          int colon = address.lastIndexOf(':');
          return InetSocketAddress.createUnresolved(
              address.substring(0, colon), Integer.parseInt(address.substring(colon + 1)));
        }
        Thread.sleep(PAUSE_MILLIS);
      }
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
  private String ask(ManagedChannel channel, MeetTrainingProcessesRequest request)
      throws IOException {
    try {
      return TrainingServiceGrpc.newBlockingStub(channel)
          .withInterceptors(MetadataUtils.newAttachHeadersInterceptor(access.headers()))
          .withDeadlineAfter(DEADLINE_SECONDS, TimeUnit.SECONDS)
          .meetTrainingProcesses(request)
          .getAddress();
    } catch (StatusRuntimeException e) {
      Status.Code code = e.getStatus().getCode();
      if (code != Status.Code.UNAVAILABLE && code != Status.Code.DEADLINE_EXCEEDED) {
        throw new IOException(coordinator + ": " + e.getStatus().getDescription(), e);
      }
      log.debug("{} does not answer: {}", coordinator, e.getStatus());
      return "";
    }
  }

  private String ownAddress() throws IOException {
    int colon = coordinator.lastIndexOf(':');
    InetAddress target = InetAddress.getByName(coordinator.substring(0, colon));
    try (DatagramSocket way = new DatagramSocket();
        ServerSocket free = new ServerSocket(0)) {
      way.connect(target, Integer.parseInt(coordinator.substring(colon + 1))); // sends nothing
      return way.getLocalAddress().getHostAddress() + ":" + free.getLocalPort();
    }
  }
}
