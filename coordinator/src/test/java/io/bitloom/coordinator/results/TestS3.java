package io.bitloom.coordinator.results;

import io.bitloom.coordinator.config.ResultsConfig;
import io.bitloom.coordinator.config.S3Config;
import java.net.URI;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.gaul.s3proxy.S3Proxy;
import org.gaul.s3proxy.auth.AuthenticationType;
import org.gaul.s3proxy.nio2blob.TransientNio2BlobStore;
import software.amazon.awssdk.core.sync.RequestBody;
import software.amazon.awssdk.http.urlconnection.UrlConnectionHttpClient;
import software.amazon.awssdk.regions.Region;
import software.amazon.awssdk.services.s3.S3Client;
import software.amazon.awssdk.services.s3.model.S3Object;

/**
 * An S3 server (S3Proxy) on a socket that checks signatures and checksums, with a bucket. It can be
 * stopped and started again with all that is in it.
 */
public final class TestS3 implements AutoCloseable {

  public static final String BUCKET = "images";

  private static final String KEY_ID = "bitloom";
  private static final String SECRET = "not-a-secret";

  private final TransientNio2BlobStore objects = new TransientNio2BlobStore();
  private S3Proxy server;
  private final int port;
  private final S3Client client;

  /** Starts it and lets the AWS SDK of this process find the credentials. */
  public static TestS3 start() throws Exception {
    System.setProperty("aws.accessKeyId", KEY_ID);
    System.setProperty("aws.secretAccessKey", SECRET);
    return new TestS3();
  }

  private TestS3() throws Exception {
    server = server(0);
    port = server.getPort();
    client =
        S3Client.builder()
            .endpointOverride(endpoint())
            .region(Region.US_EAST_1)
            .forcePathStyle(true)
            .httpClientBuilder(UrlConnectionHttpClient.builder())
            .build();
    client.createBucket(create -> create.bucket(BUCKET));
  }

  private S3Proxy server(int port) throws Exception {
    S3Proxy started =
        S3Proxy.builder()
            .blobStore(objects)
            .endpoint(URI.create("http://127.0.0.1:" + port))
            .awsAuthentication(AuthenticationType.AWS_V4, KEY_ID, SECRET)
            .jettyMaxThreads(16)
            .build();
    started.start();
    return started;
  }

  /** The credentials for another process. */
  public Map<String, String> environment() {
    return Map.of("AWS_ACCESS_KEY_ID", KEY_ID, "AWS_SECRET_ACCESS_KEY", SECRET);
  }

  public URI endpoint() {
    return URI.create("http://127.0.0.1:" + port);
  }

  /** Settings of a result store in the bucket. */
  public S3Config config(String prefix) {
    return S3Config.of("s3://" + BUCKET + "/" + prefix, endpoint().toString(), "", true);
  }

  public ResultsConfig results(String prefix) {
    return new ResultsConfig(false, Optional.of(config(prefix)));
  }

  public List<String> keys(String prefix) {
    return client.listObjectsV2(list -> list.bucket(BUCKET).prefix(prefix)).contents().stream()
        .map(S3Object::key)
        .toList();
  }

  /** Puts other bytes in the place of an object. */
  public void overwrite(String key, String content) {
    client.putObject(put -> put.bucket(BUCKET).key(key), RequestBody.fromString(content));
  }

  public void remove(String key) {
    client.deleteObject(delete -> delete.bucket(BUCKET).key(key));
  }

  public void stop() throws Exception {
    server.stop();
  }

  public void startAgain() throws Exception {
    server = server(port);
  }

  @Override
  public void close() throws Exception {
    client.close();
    server.stop();
  }
}
