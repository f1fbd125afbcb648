package io.bitloom.coordinator.queue.redis;

import io.bitloom.common.secret.Secret;
import io.bitloom.coordinator.queue.Bucket;
import io.bitloom.coordinator.queue.Chores;
import io.bitloom.coordinator.queue.LeaseRef;
import io.bitloom.coordinator.queue.Names;
import java.util.Arrays;
import java.util.List;
import java.util.Locale;

/**
 * Every key and channel of the queue. The keys of one job share a hash tag, those of one bucket
 * another, the lists of jobs, buckets and models a third; each part of a job and each shard of a
 * bucket has its own. Some names depend on the version of the data, see {@link DataHeader}.
 */
public final class Keys {

  private final String prefix;
  private final Slots slots = new Slots();
  private final boolean shardChannels;
  private volatile int version;

  /** The names of data of the newest version in a Redis that tells channels to all servers. */
  public Keys(String namespace) {
    this(namespace, false);
  }

  /**
   * The names of data of the newest version.
   *
   * @param shardChannels whether channels of a slot are told to its servers only
   */
  public Keys(String namespace, boolean shardChannels) {
    this(Names.escape(namespace) + ":", shardChannels, DataHeader.NEWEST);
  }

  private Keys(String prefix, boolean shardChannels, int version) {
    this.prefix = prefix;
    this.shardChannels = shardChannels;
    this.version = version;
  }

  /** The names of the same data in another version. */
  Keys of(int dataVersion) {
    return new Keys(prefix, shardChannels, dataVersion);
  }

  /** The version of the data whose names these are. */
  public int version() {
    return version;
  }

  /** From now on the names are those of this version. */
  public void use(int dataVersion) {
    this.version = dataVersion;
  }

  /**
   * In the order of {@code fragments/job.lua}.
   *
   * @param jobId of the job, or of a part of it
   */
  public String[] job(String jobId) {
    String tag = jobTag(jobId);
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

  private String jobTag(String partId) {
    JobPart part = JobPart.parse(partId);
    String whole = "j:" + Names.escape(part.jobId());
    String tag =
        part.number() == 0
            ? whole
            : slots.tag(
                whole, whole + ":" + part.number() + "." + part.of(), part.number(), part.of());
    return prefix + "{" + tag + "}:";
  }

  /** The hash of a job. */
  public String jobHash(String jobId) {
    return job(jobId)[0];
  }

  public String prompts(String jobId) {
    return job(jobId)[2];
  }

  /** The list of all outcomes of a job of data version 1. */
  public String results(String jobId) {
    return job(jobId)[6];
  }

  /** A list of outcomes of a job that has them in pages. */
  public String results(String jobId, long page) {
    return results(jobId) + ":" + page;
  }

  public String failures(String jobId) {
    return job(jobId)[7];
  }

  /** The name by which a bucket knows a lease; {@link #leaseOf(Bucket, String)} reads it. */
  public static String name(LeaseRef lease) {
    return lease.secret().equals(Secret.NONE)
        ? Long.toString(lease.token())
        : lease.token() + "." + lease.secret().text();
  }

  public static LeaseRef leaseOf(Bucket bucket, String name) {
    int dot = name.indexOf('.');
    return dot < 0
        ? new LeaseRef(bucket, Long.parseLong(name), Secret.NONE)
        : new LeaseRef(
            bucket,
            Long.parseLong(name.substring(0, dot)),
            Secret.parse(name.substring(dot + 1)).orElseThrow());
  }

  /** The name by which a job knows a lease; {@link #leaseOf(String)} reads it. */
  public static String holder(LeaseRef lease) {
    return name(lease) + " " + id(lease.bucket());
  }

  public static LeaseRef leaseOf(String holder) {
    int space = holder.indexOf(' ');
    return leaseOf(bucketOf(holder.substring(space + 1)), holder.substring(0, space));
  }

  /** In the order of {@code fragments/bucket.lua}. */
  public String[] bucket(Bucket bucket) {
    Bucket.Shard shard = bucket.shard();
    String whole = "b:" + id(bucket.whole());
    String tag =
        prefix
            + "{"
            + (shard.of() == 1
                ? whole
                : slots.tag(whole, "b:" + id(bucket), shard.number(), shard.of()))
            + "}:";
    return new String[] {
      tag + "flows",
      tag + "runs",
      tag + "ready",
      tag + "tenants",
      tag + "retry",
      tag + "leases",
      tag + "held",
      tag + "meta",
      tag + "lines"
    };
  }

  /** A bucket as one word; {@link #bucketOf} reads it. */
  public static String id(Bucket bucket) {
    String whole = Names.escape(bucket.model()) + ":" + Names.escape(bucket.schedule());
    Bucket.Shard shard = bucket.shard();
    return shard.of() == 1 ? whole : whole + ":" + shard.number() + "." + shard.of();
  }

  public static Bucket bucketOf(String id) {
    String[] words = id.split(":", -1);
    Bucket whole = new Bucket(Names.unescape(words[0]), Names.unescape(words[1]));
    if (words.length == 2) {
      return whole;
    }
    int dot = words[2].indexOf('.');
    return whole.in(
        new Bucket.Shard(
            Integer.parseInt(words[2].substring(0, dot)),
            Integer.parseInt(words[2].substring(dot + 1))));
  }

  /** All jobs by time. */
  public String jobs() {
    return index("jobs");
  }

  public String jobsOf(String tenant) {
    return index("jobs:" + Names.escape(tenant));
  }

  /** Jobs of a tenant that have not ended. */
  public String openJobsOf(String tenant) {
    return index("open:" + Names.escape(tenant));
  }

  /** What every job takes. */
  public String ledger() {
    return versioned("ledger");
  }

  /** What all jobs of a tenant take. */
  public String useOf(String tenant) {
    return index("use:" + Names.escape(tenant));
  }

  /** Jobs that may have something left to be done. */
  public String activeJobs() {
    return versioned("active");
  }

  /** Jobs that must be done by a time. */
  public String deadlines() {
    return versioned("deadlines");
  }

  /** Terminal jobs by the time of their end. */
  public String endedJobs() {
    return versioned("ended");
  }

  /** Likewise, those that nobody keeps. */
  public String fleetingJobs() {
    return versioned("fleeting");
  }

  /** Jobs for which something is to be done, by when it may be begun. */
  public String chores(Chores.Kind kind) {
    return index("chores:" + kind.name().toLowerCase(Locale.ROOT));
  }

  /** Fencing tokens of those who do it. */
  public String claims(Chores.Kind kind) {
    return index("claims:" + kind.name().toLowerCase(Locale.ROOT));
  }

  public String buckets() {
    return versioned("buckets");
  }

  /** Seconds of an image by bucket. */
  public String speeds() {
    return index("speeds");
  }

  /** Likewise, as pools of workers draw them. */
  public String poolSpeeds() {
    return index("pool-speeds");
  }

  /** What is kept of the scaling of pools. */
  public String pools() {
    return index("pools");
  }

  /** Models of each pool. */
  public String poolModels() {
    return index("pool-models");
  }

  public String models() {
    return versioned("models");
  }

  /** Models by the time at which workers had them last. */
  public String modelsSeen() {
    return index("seen");
  }

  /** What the workers of each coordinator can do. */
  public String workers() {
    return index("workers");
  }

  /** Models of the registry with their versions. */
  public String registeredModels() {
    return index("registry");
  }

  /** What versions of the registry are made of. */
  public String manifests() {
    return index("manifests");
  }

  /** Versions that the workers of each pool shall have. */
  public String wantedModels() {
    return index("wanted");
  }

  /** Coordinators whose workers have a model, with its digest. */
  public String servingOf(String model) {
    return index("serving:" + Names.escape(model));
  }

  /** How many jobs had not ended when they were swept last, by state. */
  public String states() {
    return index("states");
  }

  /** Jobs of which somebody is to be told, by when to look at them next. */
  public String hooks() {
    return index("hooks");
  }

  /** Which of these somebody looks at. */
  public String hookClaims() {
    return index("hook_claims");
  }

  /** Whose turn it is to sweep. */
  public String sweeper() {
    return index("sweeper");
  }

  /** Whose turn it is to tell the numbers of the cluster. */
  public String reporter() {
    return index("reporter");
  }

  /** Name of all this data. */
  public String epoch() {
    return index("epoch");
  }

  /** Of which version all this data is. */
  public String dataVersion() {
    return index("version");
  }

  /** The lists that have a name of their own in each version, always in the same order. */
  List<String> versionedLists() {
    return List.of(
        models(), ledger(), buckets(), activeJobs(), deadlines(), endedJobs(), fleetingJobs());
  }

  /** The names with those of lists of version 1 replaced by the ones that they have now. */
  String[] named(String[] names) {
    List<String> before = of(1).versionedLists();
    List<String> now = versionedLists();
    return Arrays.stream(names)
        .map(name -> before.contains(name) ? now.get(before.indexOf(name)) : name)
        .toArray(String[]::new);
  }

  private String index(String name) {
    return prefix + "{index}:" + name;
  }

  private String versioned(String name) {
    return version == 1 ? index(name) : index(version + ":" + name);
  }

  /**
   * Where changes of a job, or of a part of it, are told: with the hash tag of their keys if that
   * makes a difference ({@code fragments/job.lua} goes by it).
   */
  public String jobChannel(String partId) {
    return shardChannels
        ? jobTag(partId) + "changed"
        : prefix + "job:" + Names.escape(JobPart.parse(partId).jobId());
  }

  /** Where coordinators speak to each other. */
  public String wakeChannel() {
    return wakeChannel(version);
  }

  /** Where coordinators that know a version, and perhaps later ones, speak to each other. */
  public String wakeChannel(int dataVersion) {
    return prefix + (dataVersion == 1 ? "wake" : "wake:" + dataVersion);
  }
}
