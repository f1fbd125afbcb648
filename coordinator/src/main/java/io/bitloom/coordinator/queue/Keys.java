package io.bitloom.coordinator.queue;

/**
 * Every key and channel of the queue. The keys of one job share a hash tag, those of one bucket
 * another, the lists of jobs, buckets and models a third.
 */
final class Keys {

  private final String namespace;

  Keys(String namespace) {
    this.namespace = Names.escape(namespace) + ":";
  }

  /** In the order of {@code fragments/job.lua}. */
  String[] job(String jobId) {
    String tag = namespace + "{j:" + Names.escape(jobId) + "}:";
    return new String[] {
      tag + "job",
      tag + "appends",
      tag + "prompts",
      tag + "buckets",
      tag + "running",
      tag + "done",
      tag + "results",
      tag + "failures"
    };
  }

  /** The hash of a job. */
  String jobHash(String jobId) {
    return job(jobId)[0];
  }

  String prompts(String jobId) {
    return job(jobId)[2];
  }

  String results(String jobId) {
    return job(jobId)[6];
  }

  String failures(String jobId) {
    return job(jobId)[7];
  }

  /** The name by which a job knows a lease; {@link #leaseOf} reads it. */
  static String holder(LeaseRef lease) {
    return lease.token() + " " + id(lease.bucket());
  }

  static LeaseRef leaseOf(String holder) {
    int space = holder.indexOf(' ');
    return new LeaseRef(
        bucketOf(holder.substring(space + 1)), Long.parseLong(holder.substring(0, space)));
  }

  /** In the order of {@code fragments/bucket.lua}. */
  String[] bucket(Bucket bucket) {
    String tag = namespace + "{b:" + id(bucket) + "}:";
    return new String[] {
      tag + "flows",
      tag + "runs",
      tag + "ready",
      tag + "tenants",
      tag + "retry",
      tag + "leases",
      tag + "held",
      tag + "meta"
    };
  }

  /** A bucket as one word; {@link #bucketOf} reads it. */
  static String id(Bucket bucket) {
    return Names.escape(bucket.model()) + ":" + Names.escape(bucket.schedule());
  }

  static Bucket bucketOf(String id) {
    int colon = id.indexOf(':');
    return new Bucket(
        Names.unescape(id.substring(0, colon)), Names.unescape(id.substring(colon + 1)));
  }

  /** All jobs by time. */
  String jobs() {
    return index("jobs");
  }

  String jobsOf(String tenant) {
    return index("jobs:" + Names.escape(tenant));
  }

  /** Jobs of a tenant that have not ended. */
  String openJobsOf(String tenant) {
    return index("open:" + Names.escape(tenant));
  }

  /** Prompts that a tenant may append to its jobs. */
  String reservedOf(String tenant) {
    return index("reserved:" + Names.escape(tenant));
  }

  /** Jobs that may have something left to be done. */
  String activeJobs() {
    return index("active");
  }

  /** Jobs that must be done by a time. */
  String deadlines() {
    return index("deadlines");
  }

  /** Terminal jobs by the time of their end. */
  String endedJobs() {
    return index("ended");
  }

  String buckets() {
    return index("buckets");
  }

  /** Seconds of an image by bucket. */
  String speeds() {
    return index("speeds");
  }

  String models() {
    return index("models");
  }

  /** Name of all this data. */
  String epoch() {
    return index("epoch");
  }

  private String index(String name) {
    return namespace + "{index}:" + name;
  }

  String jobChannel(String jobId) {
    return namespace + "job:" + Names.escape(jobId);
  }

  String wakeChannel() {
    return namespace + "wake";
  }
}
