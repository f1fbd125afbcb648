package io.bitloom.worker.models;

import io.bitloom.common.blobs.GrpcBlobs;
import io.bitloom.common.blobs.HttpBlobs;
import io.bitloom.common.net.ServerAddress;
import io.bitloom.v1.GetVersionRequest;
import io.bitloom.v1.GetVersionResponse;
import io.bitloom.v1.ModelServiceGrpc;
import io.grpc.Channel;
import io.grpc.ChannelCredentials;
import io.grpc.ClientInterceptors;
import io.grpc.Grpc;
import io.grpc.ManagedChannel;
import io.grpc.Metadata;
import io.grpc.StatusException;
import io.grpc.stub.MetadataUtils;
import java.io.IOException;
import java.io.InputStream;
import java.net.URI;
import java.util.List;
import java.util.Map;
import java.util.concurrent.TimeUnit;

/**
 * Asks coordinators for versions and their files, by a connection of its own. After a failure the
 * next address is asked. Confined to one thread, but for {@link #close}.
 */
public final class RegistryCalls implements AutoCloseable {

  private static final int DEADLINE_SECONDS = 30;
  private static final int MAX_MESSAGE_BYTES = 64 << 20;

  private final List<ServerAddress> coordinators;
  private final ChannelCredentials credentials;
  private final Metadata headers;
  private volatile ManagedChannel channel; // null until it is needed
  private int next;

  /**
   * @param headers that say who calls
   */
  public RegistryCalls(
      List<ServerAddress> coordinators, ChannelCredentials credentials, Metadata headers) {
    this.coordinators = List.copyOf(coordinators);
    this.credentials = credentials;
    this.headers = headers;
  }

  /**
   * All of a version.
   *
   * @throws IOException if no coordinator answers, or none has it
   */
  GetVersionResponse version(String name) throws IOException {
    try {
      return ModelServiceGrpc.newBlockingV2Stub(channel())
          .withDeadlineAfter(DEADLINE_SECONDS, TimeUnit.SECONDS)
          .getVersion(GetVersionRequest.newBuilder().setVersion(name).build());
    } catch (StatusException e) {
      failed();
      String why = e.getStatus().getDescription();
      throw new IOException(why == null ? e.getStatus().getCode().name() : why, e);
    }
  }

  /**
   * A file from an offset on. A URL works for an hour, so each time there is a new one.
   *
   * @throws IOException if another attempt may help
   */
  InputStream open(String version, String sha256, long offset) throws IOException {
    Map<String, String> urls = version(version).getUrlsMap();
    String url = urls.get(sha256);
    return url == null
        ? GrpcBlobs.read(channel(), version, sha256, offset)
        : HttpBlobs.read(URI.create(url), offset);
  }

  private Channel channel() {
    ManagedChannel open = channel;
    if (open == null) {
      ServerAddress address = coordinators.get(next % coordinators.size());
      open =
          Grpc.newChannelBuilder(address.target(), credentials)
              .maxInboundMessageSize(MAX_MESSAGE_BYTES)
              .build();
      channel = open;
    }
    return ClientInterceptors.intercept(open, MetadataUtils.newAttachHeadersInterceptor(headers));
  }

  private void failed() {
    close();
    next++;
  }

  /** Ends the connection; the next call makes another. */
  @Override
  public void close() {
    ManagedChannel open = channel;
    if (open != null) {
      open.shutdownNow();
      channel = null;
    }
  }
}
