package io.bitloom.deploy.chart;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.bitloom.deploy.chart.Manifests.Pods;
import io.fabric8.kubernetes.api.model.ConfigMap;
import io.fabric8.kubernetes.api.model.Container;
import io.fabric8.kubernetes.api.model.EnvVar;
import io.fabric8.kubernetes.api.model.HasMetadata;
import io.fabric8.kubernetes.api.model.PersistentVolumeClaim;
import io.fabric8.kubernetes.api.model.Quantity;
import io.fabric8.kubernetes.api.model.Service;
import io.fabric8.kubernetes.api.model.ServiceAccount;
import io.fabric8.kubernetes.api.model.Volume;
import io.fabric8.kubernetes.api.model.apps.Deployment;
import io.fabric8.kubernetes.api.model.apps.StatefulSet;
import io.fabric8.kubernetes.api.model.gatewayapi.v1.GRPCRoute;
import io.fabric8.kubernetes.api.model.gatewayapi.v1.HTTPRoute;
import io.fabric8.kubernetes.api.model.networking.v1.Ingress;
import io.fabric8.kubernetes.api.model.networking.v1.NetworkPolicy;
import io.fabric8.kubernetes.api.model.networking.v1.NetworkPolicyEgressRule;
import io.fabric8.kubernetes.api.model.policy.v1.PodDisruptionBudget;
import io.fabric8.kubernetes.api.model.rbac.Role;
import io.fabric8.kubernetes.api.model.rbac.RoleBinding;
import io.fabric8.kubernetes.api.model.resource.v1.ResourceClaimTemplate;
import java.io.IOException;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import java.util.TreeSet;
import java.util.stream.Collectors;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** What a value does. */
class ChartValuesTest {

  private static final String COORDINATOR = "pictures-bitloom-coordinator";
  private static final String WORKER = "pictures-bitloom-worker-";
  private static final String S3 = "results: {bucket: pictures}\ns3: {region: us-east-1}";

  private static Manifests trial(String... values) {
    return Chart.rendered("insecure: true\n" + String.join("\n", values));
  }

  private static String settings(Manifests manifests) {
    return manifests.one(ConfigMap.class, COORDINATOR).getData().get("coordinator.yaml");
  }

  private static boolean hasSetting(Manifests manifests, String name, String value) {
    return settings(manifests).lines().anyMatch((name + ": \"" + value + "\"")::equals);
  }

  private static Container only(Manifests manifests, String name) {
    return manifests.pods(name).containers().get(0);
  }

  private static EnvVar variable(Container container, String name) {
    return container.getEnv().stream()
        .filter(variable -> variable.getName().equals(name))
        .findFirst()
        .orElse(null);
  }

  private static Set<String> kinds(Manifests manifests) {
    return manifests.objects().stream()
        .map(HasMetadata::getKind)
        .collect(Collectors.toCollection(TreeSet::new));
  }

  private static Volume volume(Pods pods, String name) {
    return pods.spec().getVolumes().stream()
        .filter(volume -> volume.getName().equals(name))
        .findFirst()
        .orElse(null);
  }

  @Test
  void aTrialIsACoordinatorARedisAndAWorker() {
    Manifests manifests = trial();
    assertEquals(List.of(COORDINATOR, WORKER + "cpu"), manifests.names(Deployment.class));
    assertEquals(List.of("pictures-bitloom-redis"), manifests.names(StatefulSet.class));
    assertEquals(
        "redis://pictures-bitloom-redis:6379",
        variable(only(manifests, COORDINATOR), "BITLOOM_REDIS").getValue());
  }

  @Test
  void nothingButTheObjectsOfATrialIsThereUnlessItIsAskedFor() {
    assertEquals(
        Set.of(
            "ConfigMap",
            "Deployment",
            "NetworkPolicy",
            "PersistentVolumeClaim",
            "Pod",
            "Service",
            "ServiceAccount",
            "StatefulSet"),
        kinds(trial()));
  }

  @Test
  void theBundledRedisSyncsEveryWriteAndThrowsNothingAway() {
    String arguments = String.join(" ", only(trial(), "pictures-bitloom-redis").getArgs());
    assertTrue(arguments.contains("--appendonly yes --appendfsync always"), arguments);
    assertTrue(arguments.contains("--maxmemory-policy noeviction"), arguments);
  }

  @Test
  void aPasswordOfTheBundledRedisIsInNoArgumentAndNoValue() {
    Manifests manifests = trial("redis: {bundled: {passwordSecret: my-redis}}");
    assertTrue(only(manifests, "pictures-bitloom-redis").getArgs().contains("$(REDISCLI_AUTH)"));
    assertEquals(
        "redis://:$(REDIS_PASSWORD)@pictures-bitloom-redis:6379",
        variable(only(manifests, COORDINATOR), "BITLOOM_REDIS").getValue());
    assertEquals(
        "my-redis",
        variable(only(manifests, COORDINATOR), "REDIS_PASSWORD")
            .getValueFrom()
            .getSecretKeyRef()
            .getName());
  }

  @Test
  void anExternalRedisTakesThePlaceOfTheBundledOne() {
    Manifests manifests = trial("redis: {external: {secret: my-redis, key: url}}");
    assertFalse(kinds(manifests).contains("StatefulSet"));
    assertEquals(List.of("pictures-bitloom"), manifests.names(Service.class));
    var from = variable(only(manifests, COORDINATOR), "BITLOOM_REDIS").getValueFrom();
    assertEquals("my-redis", from.getSecretKeyRef().getName());
    assertEquals("url", from.getSecretKeyRef().getKey());
  }

  @Test
  void imagesAreOnAVolumeThatOutlivesTheChart() {
    PersistentVolumeClaim claim =
        trial().one(PersistentVolumeClaim.class, "pictures-bitloom-results");
    assertEquals("keep", claim.getMetadata().getAnnotations().get("helm.sh/resource-policy"));
  }

  @Test
  void aCoordinatorWhoseVolumeOnlyOneCanHaveIsStoppedBeforeTheNextOne() {
    assertEquals("Recreate", strategy(trial()));
    assertEquals("RollingUpdate", strategy(trial(S3)));
  }

  private static String strategy(Manifests manifests) {
    return manifests.one(Deployment.class, COORDINATOR).getSpec().getStrategy().getType();
  }

  @Test
  void withABucketNoVolumeIsNeeded() {
    Manifests manifests = trial(S3);
    assertFalse(kinds(manifests).contains("PersistentVolumeClaim"));
    assertTrue(hasSetting(manifests, "results", "s3://pictures"));
    assertTrue(hasSetting(manifests, "s3-region", "us-east-1"));
  }

  @Test
  void aRoleOfTheCloudIsTheCoordinatorsAlone() {
    Manifests manifests =
        trial("serviceAccounts: {coordinator: {annotations: {cloud/role: images}}}");
    assertEquals(
        Map.of("cloud/role", "images"),
        manifests.one(ServiceAccount.class, COORDINATOR).getMetadata().getAnnotations());
    assertTrue(
        manifests
            .one(ServiceAccount.class, "pictures-bitloom-worker")
            .getMetadata()
            .getAnnotations()
            .isEmpty());
  }

  @Test
  void severalCoordinatorsAreSpreadAndDrainedOneAtATime() {
    Manifests manifests = trial("coordinator: {replicas: 3, spread: DoNotSchedule}", S3);
    assertEquals(
        Set.of("kubernetes.io/hostname", "topology.kubernetes.io/zone"),
        manifests.pods(COORDINATOR).spec().getTopologySpreadConstraints().stream()
            .map(spread -> spread.getTopologyKey())
            .collect(Collectors.toSet()));
    assertEquals(
        1,
        manifests
            .one(PodDisruptionBudget.class, COORDINATOR)
            .getSpec()
            .getMaxUnavailable()
            .getIntVal());
  }

  @Test
  void oneCoordinatorHasNoBudgetThatWouldHoldUpADrain() {
    assertFalse(kinds(trial()).contains("PodDisruptionBudget"));
  }

  @Test
  void aCoordinatorHasTheTimeThatItsDrainTakes() {
    Manifests manifests = trial("coordinator: {preStopSeconds: 7, drainSeconds: 100}");
    assertTrue(hasSetting(manifests, "drain-timeout", "100s"));
    assertEquals(
        7L, only(manifests, COORDINATOR).getLifecycle().getPreStop().getSleep().getSeconds());
    assertEquals(
        7 + 100 + 15, manifests.pods(COORDINATOR).spec().getTerminationGracePeriodSeconds());
  }

  @Test
  void aWorkerHasTheTimeThatItsGraceTakes() {
    Manifests manifests = trial("pools: [{name: spot, shutdownGraceSeconds: 12}]");
    assertTrue(only(manifests, WORKER + "spot").getArgs().contains("--shutdown-grace=12s"));
    assertEquals(27, manifests.pods(WORKER + "spot").spec().getTerminationGracePeriodSeconds());
  }

  @Test
  void aWorkerMayTakeItsTimeToLoadAModel() {
    var probe =
        only(trial("poolDefaults: {startupSeconds: 1800}"), WORKER + "cpu").getStartupProbe();
    assertEquals(1800, probe.getPeriodSeconds() * probe.getFailureThreshold());
  }

  @Test
  void aCoordinatorIsNotStartedAgainBecauseRedisIsAway() {
    Container coordinator = only(trial(), COORDINATOR);
    assertEquals("/health/live", coordinator.getLivenessProbe().getHttpGet().getPath());
    assertEquals("/health/ready", coordinator.getReadinessProbe().getHttpGet().getPath());
  }

  @Test
  void aSettingIsWrittenAsItIsAndNotAsAPowerOfTen() {
    Manifests manifests =
        trial("coordinator: {settings: {queued-prompts: 50000000, retention: 7d, open-jobs: 3}}");
    assertTrue(hasSetting(manifests, "queued-prompts", "50000000"), settings(manifests));
    assertTrue(hasSetting(manifests, "retention", "7d"));
    assertTrue(hasSetting(manifests, "open-jobs", "3"));
  }

  @Test
  void anotherSettingReplacesThePods() {
    assertFalse(
        checksum(trial()).equals(checksum(trial("coordinator: {settings: {retention: 7d}}"))));
    assertEquals(checksum(trial()), checksum(trial("coordinator: {replicas: 1}")));
  }

  private static String checksum(Manifests manifests) {
    return manifests
        .one(Deployment.class, COORDINATOR)
        .getSpec()
        .getTemplate()
        .getMetadata()
        .getAnnotations()
        .get("checksum/settings");
  }

  @Test
  void theHttpPortIsCalledByAllNamesOfServiceAndRoutes() {
    Manifests manifests =
        trial(
            "coordinator: {allowedHosts: [more.example]}",
            "gateway: {enabled: true, parentRefs: [{name: g}], httpHostnames: [jobs.example]}");
    assertTrue(
        hasSetting(
            manifests,
            "allowed-hosts",
            "pictures-bitloom,pictures-bitloom.studio,pictures-bitloom.studio.svc,"
                + "pictures-bitloom.studio.svc.cluster.local,more.example,jobs.example"),
        settings(manifests));
  }

  @Test
  void tokensAndCertificatesComeFromSecrets() {
    Manifests manifests = Chart.rendered(Chart.combinations().get("production"));
    assertTrue(hasSetting(manifests, "tenants", "/etc/bitloom/tenants/tenants.json"));
    assertTrue(hasSetting(manifests, "tls-cert", "/etc/bitloom/tls/tls.crt"));
    assertFalse(settings(manifests).contains("insecure"));
    Container worker = only(manifests, WORKER + "a");
    assertEquals(
        "existing-tokens",
        variable(worker, "BITLOOM_TOKEN").getValueFrom().getSecretKeyRef().getName());
    assertTrue(
        worker
            .getArgs()
            .containsAll(
                List.of(
                    "--coordinator=https://pictures-bitloom.studio.svc:7700",
                    "--tls-ca=/etc/bitloom/tls/ca.crt")));
  }

  @Test
  void aWorkerNeverSeesTheCoordinatorsKey() {
    Pods worker = Chart.rendered(Chart.combinations().get("production")).pods(WORKER + "a");
    assertEquals(
        List.of("ca.crt"),
        volume(worker, "tls").getProjected().getSources().stream()
            .flatMap(source -> source.getSecret().getItems().stream())
            .map(item -> item.getKey())
            .toList());
  }

  @Test
  void aSettingCanBeAFileOfASecret() {
    Manifests manifests =
        trial(
            "coordinator:",
            "  secretFiles: [{setting: webhook-ca, secret: my-webhooks, key: root.pem}]");
    assertTrue(hasSetting(manifests, "webhook-ca", "/etc/bitloom/files/webhook-ca"));
    var file =
        volume(manifests.pods(COORDINATOR), "files").getProjected().getSources().get(0).getSecret();
    assertEquals("my-webhooks", file.getName());
    assertEquals("webhook-ca", file.getItems().get(0).getPath());
  }

  @Test
  void withTlsProbesSpeakIt() {
    Manifests manifests = Chart.rendered(Chart.combinations().get("production"));
    assertEquals(
        "HTTPS", only(manifests, COORDINATOR).getReadinessProbe().getHttpGet().getScheme());
    assertEquals("HTTP", only(trial(), COORDINATOR).getReadinessProbe().getHttpGet().getScheme());
  }

  @Test
  void anImageIsNamedByRegistryAndDigestOrTag() {
    Manifests manifests = Chart.rendered(Chart.combinations().get("production"));
    assertEquals(
        "registry.example/bitloom/bitloom-coordinator:1.2.3",
        only(manifests, COORDINATOR).getImage());
    String digest = "sha256:" + "0".repeat(64);
    assertEquals(
        "bitloom-coordinator@" + digest,
        only(trial("coordinator: {image: {digest: '" + digest + "'}}"), COORDINATOR).getImage());
  }

  @Test
  void aGpuIsAResourceOfItsNodeAndBringsTheImageForIt() {
    Container worker =
        only(trial("pools: [{name: gpu, gpu: {resource: nvidia.com/gpu}}]"), WORKER + "gpu");
    assertEquals(new Quantity("1"), worker.getResources().getLimits().get("nvidia.com/gpu"));
    assertTrue(worker.getImage().startsWith("bitloom-worker-cuda:"), worker.getImage());
    assertTrue(worker.getArgs().contains("--device=cuda:0"));
  }

  @Test
  void withoutAGpuAWorkerDrawsOnProcessors() {
    Container worker = only(trial(), WORKER + "cpu");
    assertTrue(worker.getImage().startsWith("bitloom-worker:"), worker.getImage());
    assertTrue(worker.getArgs().containsAll(List.of("--device=cpu", "--model=demo")));
  }

  @Test
  void aGpuCanBeAClaimOfADevice() {
    Manifests manifests = Chart.rendered(Chart.combinations().get("dra"));
    var request =
        manifests
            .one(ResourceClaimTemplate.class, WORKER + "claimed")
            .getSpec()
            .getSpec()
            .getDevices()
            .getRequests()
            .get(0);
    assertEquals("gpu.nvidia.com", request.getExactly().getDeviceClassName());
    assertEquals(1, request.getExactly().getSelectors().size());
    assertEquals(
        "gpu", only(manifests, WORKER + "claimed").getResources().getClaims().get(0).getName());
  }

  @Test
  void aModelIsAFolderOfAClaimOrOfAnImage() {
    Manifests onClaim = Chart.rendered(Chart.combinations().get("gpu"));
    assertTrue(only(onClaim, WORKER + "l4").getArgs().contains("--model=/models/infinity-2b"));
    assertTrue(
        volume(onClaim.pods(WORKER + "l4"), "models").getPersistentVolumeClaim().getReadOnly());
    Manifests inImage = Chart.rendered(Chart.combinations().get("mig"));
    assertEquals(
        "registry.example/models/infinity-2b:1",
        volume(inImage.pods(WORKER + "slices"), "models").getImage().getReference());
    Manifests whole = Chart.rendered(Chart.combinations().get("dra"));
    assertTrue(only(whole, WORKER + "claimed").getArgs().contains("--model=/models"));
  }

  @Test
  void aPoolHasWhatItDoesNotSayFromTheDefaults() {
    Manifests manifests =
        trial(
            "poolDefaults: {replicas: 4, dtype: bf16}",
            "pools: [{name: a}, {name: b, replicas: 1}]");
    assertEquals(4, manifests.pods(WORKER + "a").replicas());
    assertEquals(1, manifests.pods(WORKER + "b").replicas());
    assertTrue(only(manifests, WORKER + "b").getArgs().contains("--dtype=bf16"));
  }

  @Test
  void aScaledPoolSaysNoNumberAndCoordinatorsAreAskedForIt() {
    Manifests manifests = Chart.rendered(Chart.combinations().get("keda"));
    assertNull(manifests.pods(WORKER + "gpu").replicas());
    assertEquals(2, manifests.pods(WORKER + "base").replicas());
    Map<String, Object> scaled = manifests.custom("ScaledObject").get(0);
    assertEquals(1, manifests.custom("ScaledObject").size());
    assertEquals(0, Yamls.at(scaled, "spec", "minReplicaCount"));
    assertEquals(40, Yamls.at(scaled, "spec", "maxReplicaCount"));
    assertEquals(
        Map.of(
            "scalerAddress", "pictures-bitloom.studio.svc:7700",
            "enableTLS", "true",
            "tokenFromEnv", "BITLOOM_TOKEN",
            "pool", "gpu",
            "maxWorkers", "40",
            "models", "infinity-*",
            "sizes", "0.25M,1M",
            "emptyIn", "30m",
            "nodeStart", "3m",
            "idle", "90s"),
        withoutPrice(Yamls.map(Yamls.at(scaled, "spec", "triggers", 0, "metadata"))));
  }

  private static Map<String, Object> withoutPrice(Map<String, Object> metadata) {
    Map<String, Object> rest = new TreeMap<>(metadata);
    assertEquals("2.5", rest.remove("pricePerGpuHour"));
    return rest;
  }

  @Test
  void theAutoscalerDoesAtOnceWhatCoordinatorsSay() {
    Object behavior =
        Yamls.at(
            Chart.rendered(Chart.combinations().get("mutual-tls")).custom("ScaledObject").get(0),
            "spec",
            "advanced",
            "horizontalPodAutoscalerConfig",
            "behavior");
    assertEquals(0, Yamls.at(behavior, "scaleUp", "stabilizationWindowSeconds"));
    assertEquals(0, Yamls.at(behavior, "scaleDown", "stabilizationWindowSeconds"));
  }

  @Test
  void kedaTrustsAndShowsWhatWorkersDo() {
    Manifests manifests = Chart.rendered(Chart.combinations().get("mutual-tls"));
    assertEquals(
        List.of(
            Map.of("parameter", "caCert", "name", "existing-ca", "key", "root.pem"),
            Map.of("parameter", "tlsClientCert", "name", "existing-client-tls", "key", "tls.crt"),
            Map.of("parameter", "tlsClientKey", "name", "existing-client-tls", "key", "tls.key")),
        Yamls.at(manifests.custom("TriggerAuthentication").get(0), "spec", "secretTargetRef"));
  }

  @Test
  void onlyWorkersThatSayHowBusyTheyAreHaveARight() {
    Manifests manifests = trial("podDeletionCost: true");
    assertTrue(only(manifests, WORKER + "cpu").getArgs().contains("--pod-deletion-cost"));
    assertTrue(manifests.pods(WORKER + "cpu").spec().getAutomountServiceAccountToken());
    assertFalse(manifests.pods(COORDINATOR).spec().getAutomountServiceAccountToken());
    var rule = manifests.one(Role.class, "pictures-bitloom-worker").getRules().get(0);
    assertEquals(List.of("pods"), rule.getResources());
    assertEquals(List.of("patch"), rule.getVerbs());
    var binding = manifests.one(RoleBinding.class, "pictures-bitloom-worker");
    assertEquals("pictures-bitloom-worker", binding.getSubjects().get(0).getName());
    assertEquals("pictures-bitloom-worker", binding.getRoleRef().getName());
  }

  @Test
  void aPoolCanWaitForItsTurnInAQueueOfKueue() {
    Manifests manifests = Chart.rendered(Chart.combinations().get("kueue"));
    assertEquals(
        "gpus", manifests.pods(WORKER + "queued").labels().get("kueue.x-k8s.io/queue-name"));
    assertEquals(
        "gpus",
        manifests
            .one(Deployment.class, WORKER + "queued")
            .getMetadata()
            .getLabels()
            .get("kueue.x-k8s.io/queue-name"));
  }

  @Test
  void redisLetsCoordinatorsInAndNobodyElse() {
    NetworkPolicy policy = trial().one(NetworkPolicy.class, "pictures-bitloom-redis");
    assertEquals(
        List.of("coordinator"),
        policy.getSpec().getIngress().stream()
            .flatMap(rule -> rule.getFrom().stream())
            .map(peer -> peer.getPodSelector().getMatchLabels())
            .map(labels -> labels.get("app.kubernetes.io/component"))
            .toList());
    assertTrue(policy.getSpec().getEgress().isEmpty());
  }

  @Test
  void coordinatorsAndWorkersReachS3AtThePortOfItsEndpoint() {
    Manifests manifests = Chart.rendered(Chart.combinations().get("spot"));
    assertTrue(
        ports(manifests, "pictures-bitloom-coordinator")
            .containsAll(List.of("53", "9000", "6379")));
    assertEquals(Set.of("53", "7700", "9000"), ports(manifests, "pictures-bitloom-worker"));
    assertEquals(Set.of("53", "7700", "443"), ports(trial(S3), "pictures-bitloom-worker"));
    assertEquals(Set.of("53", "7700"), ports(trial(), "pictures-bitloom-worker"));
  }

  private static Set<String> ports(Manifests manifests, String policy) {
    return manifests.one(NetworkPolicy.class, policy).getSpec().getEgress().stream()
        .map(NetworkPolicyEgressRule::getPorts)
        .flatMap(List::stream)
        .map(port -> String.valueOf(port.getPort().getValue()))
        .collect(Collectors.toSet());
  }

  @Test
  void withoutCallersNobodyIsLetIn() {
    Manifests manifests =
        trial(
            "pools: []",
            "tests: {enabled: false}",
            "monitoring: {podMonitors: {enabled: true}}",
            "networkPolicy: {clients: [], metrics: []}");
    assertTrue(manifests.one(NetworkPolicy.class, COORDINATOR).getSpec().getIngress().isEmpty());
  }

  @Test
  void aNewChartAloneStartsNoPodAgain() {
    assertTrue(
        trial().pods().stream()
            .filter(pods -> !pods.kind().equals("Pod"))
            .flatMap(pods -> pods.labels().values().stream())
            .noneMatch(label -> label.contains("0.1.0")));
  }

  @Test
  void aWorkerIsCalledByNobodyUnlessItIsScraped() {
    assertTrue(
        trial()
            .one(NetworkPolicy.class, "pictures-bitloom-worker")
            .getSpec()
            .getIngress()
            .isEmpty());
    assertEquals(
        1,
        trial("monitoring: {podMonitors: {enabled: true}}")
            .one(NetworkPolicy.class, "pictures-bitloom-worker")
            .getSpec()
            .getIngress()
            .size());
  }

  @Test
  void prometheusShowsTheOperatorsTokenAndTrustsTheCertificate() {
    Manifests manifests = Chart.rendered(Chart.combinations().get("production"));
    Object endpoint =
        Yamls.at(manifests.custom("PodMonitor").get(0), "spec", "podMetricsEndpoints", 0);
    assertEquals("https", Yamls.at(endpoint, "scheme"));
    assertEquals("operator", Yamls.at(endpoint, "authorization", "credentials", "key"));
    assertEquals("pictures-bitloom.studio.svc", Yamls.at(endpoint, "tlsConfig", "serverName"));
  }

  @Test
  void theRulesOfThePrometheusOperatorAreThoseOfTheFileForPrometheus() {
    Object groups =
        Yamls.read(Chart.HOME.resolve("deploy/prometheus/bitloom-alerts.yaml")).get("groups");
    assertEquals(
        groups,
        Yamls.at(
            trial("monitoring: {rules: {enabled: true}}").custom("PrometheusRule").get(0),
            "spec",
            "groups"));
  }

  @Test
  void theyAreThereInAPackageToo(@TempDir Path folder) throws IOException {
    String text = Chart.packaged(folder, "insecure: true\nmonitoring: {rules: {enabled: true}}");
    assertEquals(1, Manifests.parse(text).custom("PrometheusRule").size());
  }

  @Test
  void aGatewayLeadsToBothPorts() {
    Manifests manifests = Chart.rendered(Chart.combinations().get("gateway"));
    assertEquals(
        List.of("bitloom.example"),
        manifests.one(GRPCRoute.class, "pictures-bitloom").getSpec().getHostnames());
    assertEquals(
        List.of("jobs.example"),
        manifests.one(HTTPRoute.class, "pictures-bitloom").getSpec().getHostnames());
  }

  @Test
  void anIngressIsThereForEachPortThatHasAHost() {
    Manifests both = Chart.rendered(Chart.combinations().get("ingress"));
    assertEquals(
        List.of("pictures-bitloom-grpc", "pictures-bitloom-http"), both.names(Ingress.class));
    assertEquals(
        List.of("pictures-bitloom-grpc"),
        trial("ingress: {enabled: true, grpc: {host: a.example}}").names(Ingress.class));
  }

  @Test
  void aCommonLabelIsOnEveryObject() {
    Manifests manifests = Chart.rendered(Chart.combinations().get("production"));
    assertTrue(
        manifests.objects().stream()
            .allMatch(object -> "art".equals(object.getMetadata().getLabels().get("team"))));
  }

  @Test
  void whatIsSwitchedOffIsNotThere() {
    Manifests manifests = Chart.rendered(Chart.combinations().get("everything-off"));
    assertEquals(Set.of("ConfigMap", "Deployment", "Service"), kinds(manifests));
  }

  @Test
  void namesFitWhateverTheReleaseIsCalled() {
    String longest = "a".repeat(53);
    Manifests manifests =
        Chart.rendered(
            "insecure: true\npools: [{name: " + "p".repeat(20) + "}]", "1.34.0", longest);
    assertEquals(List.of(), ChartRules.faults(manifests));
    assertEquals(
        63,
        manifests.objects().stream()
            .mapToInt(object -> object.getMetadata().getName().length())
            .max()
            .orElseThrow());
  }

  @Test
  void whatLooksLikeANumberOrATruthStaysAText() {
    Manifests manifests =
        Chart.rendered(
            """
            fullnameOverride: drawing
            commonLabels: {year: "2026"}
            tenants: {secret: "1"}
            tokens: {worker: {secret: "2", key: "3"}, test: {secret: "4", key: "5"}}
            tls: {secret: "6", clientSecret: "7", ca: {secret: "8", key: "9"}}
            redis: {external: {secret: "10", key: "11", caSecret: "12"}}
            results: {bucket: "13", prefix: "14"}
            s3: {region: "15", credentialsSecret: "16"}
            image: {tag: "17", pullSecrets: ["18"]}
            serviceAccounts: {create: false, coordinator: {name: "19"}, worker: {name: "20"}}
            pools:
              - name: "on"
                kueueQueue: "21"
                runtimeClassName: "22"
                priorityClassName: "23"
                gpu: {deviceClass: "24"}
                model: {claim: "25", path: "26"}
                autoscaling: {enabled: true, metadata: {models: "27"}}
              - {name: "1e3", model: {image: "28"}}
            """,
            "1.34.0",
            "29");
    assertEquals("on", manifests.pods("drawing-worker-on").labels().get("bitloom.io/pool"));
    assertEquals("1e3", manifests.pods("drawing-worker-1e3").labels().get("bitloom.io/pool"));
  }

  @Test
  void theChartIsOfTheVersionThatIsBuilt() {
    Map<String, Object> chart = Yamls.read(Chart.FOLDER.resolve("Chart.yaml"));
    assertEquals(System.getProperty("bitloom.version"), chart.get("appVersion"));
  }
}
