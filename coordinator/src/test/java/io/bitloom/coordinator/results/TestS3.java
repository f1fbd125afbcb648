package io.bitloom.coordinator.results;

import io.bitloom.coordinator.config.ResultsConfig;
import io.bitloom.coordinator.config.S3Config;
import java.io.InputStream;
import java.net.URI;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.gaul.s3proxy.S3Proxy;
import org.gaul.s3proxy.auth.AuthenticationType;
import org.gaul.s3proxy.nio2blob.AbstractNio2BlobStore;
import org.gaul.s3proxy.nio2blob.FilesystemNio2BlobStore;
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

  private final AbstractNio2BlobStore objects;
  private S3Proxy server;
  private final int port;
  private final S3Client client;

  /** Starts it and lets the AWS SDK of this process find the credentials. */
  public static TestS3 start() throws Exception {
    System.setProperty("aws.accessKeyId", KEY_ID);
    System.setProperty("aws.secretAccessKey", SECRET);
    return new TestS3(new TransientNio2BlobStore());
  }

  /** Likewise, with its objects in a folder and not in memory. */
  public static TestS3 start(Path folder) throws Exception {
    System.setProperty("aws.accessKeyId", KEY_ID);
    System.setProperty("aws.secretAccessKey", SECRET);
    return new TestS3(new FilesystemNio2BlobStore(folder.toString()));
  }

  private TestS3(AbstractNio2BlobStore objects) throws Exception {
    this.objects = objects;
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

  /** The credentials for another virtual machine, as options. */
  public List<String> jvmOptions() {
    return List.of("-Daws.accessKeyId=" + KEY_ID, "-Daws.secretAccessKey=" + SECRET);
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

  public void put(String key, byte[] content) {
    client.putObject(put -> put.bucket(BUCKET).key(key), RequestBody.fromBytes(content));
  }

  /** An object from its start. */
  public InputStream open(String key) {
    return client.getObject(get -> get.bucket(BUCKET).key(key));
  }

  public void put(String key, Path content) {
    client.putObject(put -> put.bucket(BUCKET).key(key), content);
  }

  public byte[] get(String key) {
    return client.getObjectAsBytes(get -> get.bucket(BUCKET).key(key)).asByteArray();
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
