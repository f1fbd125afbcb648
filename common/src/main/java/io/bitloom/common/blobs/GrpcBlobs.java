package io.bitloom.common.blobs;

import io.bitloom.common.error.BitloomException;
import io.bitloom.common.error.ErrorCode;
import io.bitloom.common.grpc.GrpcErrors;
import io.bitloom.v1.ModelServiceGrpc;
import io.bitloom.v1.ReadBlobRequest;
import io.bitloom.v1.ReadBlobResponse;
import io.grpc.Channel;
import io.grpc.StatusException;
import io.grpc.stub.BlockingClientCall;
import java.io.IOException;
import java.io.InputStream;
import java.io.InterruptedIOException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;

/** A file of a version that a coordinator sends; no more of it is on its way than is read. */
public final class GrpcBlobs extends InputStream {

  /** A call on which nothing comes for so long is dead. */
  private static final long SILENCE_SECONDS = 60;

  private final BlockingClientCall<?, ReadBlobResponse> call;
  private InputStream piece = InputStream.nullInputStream();
  private boolean ended;

  private GrpcBlobs(BlockingClientCall<?, ReadBlobResponse> call) {
    this.call = call;
  }

  /**
   * Opens a file at an offset. What fails with the caller's fault is a {@link BitloomException},
   * what may be tried again an {@link IOException}.
   *
   * @param version {@code NAME@DIGEST}
   */
  public static InputStream read(Channel channel, String version, String sha256, long offset) {
    return new GrpcBlobs(
        ModelServiceGrpc.newBlockingV2Stub(channel)
            .readBlob(
                ReadBlobRequest.newBuilder()
                    .setVersion(version)
                    .setSha256(sha256)
                    .setOffset(offset)
                    .build()));
  }

  @Override
  public int read() throws IOException {
    byte[] one = new byte[1];
    return read(one, 0, 1) < 0 ? -1 : one[0] & 0xff;
  }

  @Override
  public int read(byte[] bytes, int offset, int length) throws IOException {
    if (length == 0) {
      return 0;
    }
    int n = piece.read(bytes, offset, length);
    while (n < 0 && !ended) {
      next();
      n = piece.read(bytes, offset, length);
    }
    return n;
  }

  private void next() throws IOException {
    try {
      ReadBlobResponse response = call.read(SILENCE_SECONDS, TimeUnit.SECONDS);
      ended = response == null;
      piece = ended ? InputStream.nullInputStream() : response.getData().newInput();
    } catch (StatusException e) {
      BitloomException failure = GrpcErrors.fromStatus(e);
      boolean again =
          failure.code().fault() != ErrorCode.Fault.CALLER || !GrpcErrors.isFromBitloom(e);
      if (again) {
        throw new IOException(failure.getMessage(), failure);
      }
      throw failure;
    } catch (TimeoutException e) {
      throw new IOException("nothing came for " + SILENCE_SECONDS + " s", e);
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      throw new InterruptedIOException("interrupted");
    }
  }

  @Override
  public void close() {
    if (!ended) {
      ended = true;
      call.cancel("no more of it is wanted", null);
    }
  }
}
