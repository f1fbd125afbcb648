package io.bitloom.coordinator.queue.upkeep;

import io.bitloom.common.config.ConfigException;
import io.bitloom.coordinator.queue.Backlog;
import io.bitloom.coordinator.queue.Chores;
import io.bitloom.coordinator.queue.JobQueue;
import io.bitloom.coordinator.queue.JobStore;
import io.bitloom.coordinator.queue.JobTimes;
import io.bitloom.coordinator.queue.Leases;
import io.bitloom.coordinator.queue.ModelRecords;
import io.bitloom.coordinator.queue.PoolRecords;
import io.bitloom.coordinator.queue.PromptStore;
import io.bitloom.coordinator.queue.QueueSettings;
import io.bitloom.coordinator.queue.ReadyBuckets;
import io.bitloom.coordinator.queue.RegistryRecords;
import io.bitloom.coordinator.queue.ResultLog;
import io.bitloom.coordinator.queue.Subscription;
import io.bitloom.coordinator.queue.WebhookQueue;
import io.bitloom.coordinator.queue.redis.BucketScripts;
import io.bitloom.coordinator.queue.redis.DataHeader;
import io.bitloom.coordinator.queue.redis.JobEnd;
import io.bitloom.coordinator.queue.redis.JobIndex;
import io.bitloom.coordinator.queue.redis.JobParts;
import io.bitloom.coordinator.queue.redis.JobScripts;
import io.bitloom.coordinator.queue.redis.JobTurns;
import io.bitloom.coordinator.queue.redis.Keys;
import io.bitloom.coordinator.queue.redis.LeaseEnd;
import io.bitloom.coordinator.queue.redis.PartScripts;
import io.bitloom.coordinator.queue.redis.RedisBacklog;
import io.bitloom.coordinator.queue.redis.RedisChores;
import io.bitloom.coordinator.queue.redis.RedisJobs;
import io.bitloom.coordinator.queue.redis.RedisLeases;
import io.bitloom.coordinator.queue.redis.RedisModels;
import io.bitloom.coordinator.queue.redis.RedisPools;
import io.bitloom.coordinator.queue.redis.RedisPrompts;
import io.bitloom.coordinator.queue.redis.RedisRegistry;
import io.bitloom.coordinator.queue.redis.RedisResults;
import io.bitloom.coordinator.queue.redis.RedisWebhooks;
import io.bitloom.coordinator.queue.redis.ReportTurn;
import io.bitloom.coordinator.queue.redis.Spread;
import io.bitloom.coordinator.queue.redis.SweepTurn;
import io.bitloom.coordinator.queue.redis.UnusedBuckets;
import io.bitloom.coordinator.queue.redis.Upkeep;
import io.bitloom.coordinator.queue.redis.WaitingPrompts;
import io.bitloom.coordinator.redis.RedisChannels;
import io.bitloom.coordinator.redis.RedisConnection;
import java.time.Duration;
import java.util.concurrent.CompletionStage;

/** The queue of one coordinator: puts its parts together, and has the upkeep done. */
public final class RunningQueue implements JobQueue {

  /** With what follows it, a loss of all data is mended within five seconds. */
  private static final Duration EPOCH_INTERVAL = Duration.ofSeconds(3);

  private final Timers timers = new Timers();
  private final RedisJobs jobs;
  private final RedisPrompts prompts;
  private final RedisResults results;
  private final RedisLeases leases;
  private final JobEnd jobEnd;
  private final WakeUps ready;
  private final FinishedLeases finishedLeases;
  private final RedisBacklog backlog;
  private final RedisChores chores;
  private final RedisModels models;
  private final RedisRegistry registry;
  private final RedisPools pools;
  private final RedisWebhooks webhooks;
  private final WakeListener wakeListener;
  private final DataVersion version;
  private final Epoch epoch;

  /**
   * Waits until it is known of which version the data are.
   *
   * @param redis closed by its owner, after the queue
   * @throws ConfigException if the data are of a version that is not known
   * @throws io.bitloom.common.error.BitloomException {@code QUEUE_UNAVAILABLE}
   */
  public RunningQueue(RedisConnection redis, QueueSettings settings) {
    Keys keys = new Keys(settings.namespace(), redis.channels().sharded());
    Spread spread = new Spread(settings.shardRun());
    DataHeader header = new DataHeader(redis, keys);
    JobIndex index = new JobIndex(redis, keys, settings.outputs());
    JobScripts jobScripts = new JobScripts(redis, keys);
    PartScripts partScripts = new PartScripts(redis, keys, jobScripts);
    BucketScripts bucketScripts = new BucketScripts(redis, keys, settings);
    this.backlog = new RedisBacklog(index, bucketScripts, keys, new ReportTurn(redis, keys));
    this.version = new DataVersion(header, keys, backlog::recount);
    version.enter();
    this.webhooks = new RedisWebhooks(redis, keys);
    this.jobEnd = new JobEnd(jobScripts, partScripts, bucketScripts, index, webhooks);
    LeaseEnd leaseEnd = new LeaseEnd(jobScripts, bucketScripts, jobEnd);

    Reaper reaper = new Reaper(bucketScripts, leaseEnd, settings, timers);
    Deadlines deadlines = new Deadlines(index, jobEnd, timers);
    Bookkeeper bookkeeper = new Bookkeeper(index, timers);
    JobSweep jobSweep =
        new JobSweep(
            jobScripts, partScripts, bucketScripts, index, jobEnd, leaseEnd, bookkeeper, timers);
    Duration sweep = settings.sweepInterval();
    SweepTurn turn = new SweepTurn(redis, keys, sweep.multipliedBy(2));
    Sweeper sweeper =
        new Sweeper(
            jobSweep, index, new UnusedBuckets(index, bucketScripts, keys), webhooks, turn, timers);
    LostReplies lostReplies = new LostReplies(bucketScripts, leaseEnd, jobSweep, timers);
    this.ready = new WakeUps(timers);
    this.finishedLeases = new FinishedLeases(bucketScripts, timers);
    Upkeep upkeep =
        new BackgroundWork(
            ready, reaper, jobSweep, deadlines, lostReplies, finishedLeases, bookkeeper);

    RedisChannels channels = redis.channels();
    this.jobs =
        new RedisJobs(
            index,
            jobScripts,
            partScripts,
            bucketScripts,
            jobEnd,
            webhooks,
            upkeep,
            channels,
            keys,
            settings.shards());
    this.prompts =
        new RedisPrompts(
            index,
            jobScripts,
            new JobParts(jobScripts, partScripts, spread, settings.shards()),
            spread,
            bucketScripts,
            new WaitingPrompts(redis, keys, jobScripts, spread),
            upkeep);
    this.results = new RedisResults(redis, keys, spread);
    this.leases =
        new RedisLeases(
            spread,
            new JobTurns(redis, keys, webhooks::passed),
            bucketScripts,
            jobEnd,
            leaseEnd,
            upkeep);
    this.chores = new RedisChores(redis, keys);
    this.models = new RedisModels(redis, keys);
    this.registry = new RedisRegistry(redis, keys);
    this.pools = new RedisPools(redis, keys);

    timers.every(sweep, sweep, sweeper::sweepInTurn);
    timers.every(sweep, sweep, deadlines::look);
    this.wakeListener =
        new WakeListener(ready, reaper, sweeper, deadlines, backlog, timers, leases::stopped);
    wakeListener.listen(channels, keys.wakeChannel(1), keys.wakeChannel(DataHeader.NEWEST));
    this.epoch = new Epoch(header, version::seen);
    epoch.onLoss(index::forgetBuckets);
    epoch.onLoss(ready::startAnew);
    epoch.onLoss(channels::tellThatMessagesMayBeMissed);
    timers.every(EPOCH_INTERVAL, Duration.ZERO, epoch::look);
  }

  @Override
  public JobStore jobs() {
    return jobs;
  }

  @Override
  public PromptStore prompts() {
    return prompts;
  }

  @Override
  public ResultLog results() {
    return results;
  }

  @Override
  public Leases leases() {
    return leases;
  }

  @Override
  public ReadyBuckets ready() {
    return ready;
  }

  @Override
  public Backlog backlog() {
    return backlog;
  }

  @Override
  public WebhookQueue webhooks() {
    return webhooks;
  }

  @Override
  public Chores chores() {
    return chores;
  }

  @Override
  public ModelRecords models() {
    return models;
  }

  @Override
  public RegistryRecords registry() {
    return registry;
  }

  @Override
  public void tellTimes(JobTimes listener) {
    leases.tellTimes(listener);
    jobEnd.tellTimes(listener);
  }

  @Override
  public PoolRecords pools() {
    return pools;
  }

  @Override
  public Subscription onDataLost(Runnable listener) {
    return epoch.onLoss(listener);
  }

  @Override
  public CompletionStage<ConfigException> unusable() {
    return version.unusable();
  }

  @Override
  public void close() {
    wakeListener.close();
    finishedLeases.close();
    timers.close();
  }
}
