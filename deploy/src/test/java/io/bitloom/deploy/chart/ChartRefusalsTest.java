package io.bitloom.deploy.chart;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Set;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** Values that cannot be right are refused before anything is installed. */
class ChartRefusalsTest {

  private static List<String> refusals(String... values) {
    return Chart.refusals(refused(values));
  }

  private static RuntimeException refused(String... values) {
    return assertThrows(RuntimeException.class, () -> Chart.rendered(String.join("\n", values)));
  }

  @Test
  void nobodyIsLetInBySilence() {
    assertEquals(
        List.of(
            "tenants.secret: name the Secret with the file of tenants, or say insecure=true, which"
                + " lets everybody in the cluster's network call",
            "tls.secret: name the Secret with the coordinators' certificate, or say insecure=true,"
                + " which lets tokens and images cross the network in plain text"),
        refusals(""));
  }

  @Test
  void withTenantsEveryCallerNeedsAToken() {
    assertEquals(
        List.of(
            "tokens.worker.secret: with tenants, workers need a token of the role worker",
            "tokens.metrics.secret: with tenants, Prometheus needs a token of the role operator",
            "tokens.test.secret: with tenants, helm test needs a token of the role client; or say"
                + " tests.enabled=false"),
        refusals(
            "tenants: {secret: t}",
            "tls: {secret: c}",
            "monitoring: {podMonitors: {enabled: true}}"));
  }

  @Test
  void coordinatorsThatAskForCertificatesNeedOneOfTheirOwnAndOneForWorkers() {
    assertEquals(
        List.of(
            "tls.clientCa.secret: goes with tls.secret",
            "tls.clientSecret: with tls.clientCa, workers need a certificate"),
        refusals("insecure: true", "tls: {clientCa: {secret: ca}}"));
  }

  @Test
  void severalCoordinatorsDoNotShareAVolumeThatOnlyOneCanHave() {
    assertEquals(
        List.of(
            "coordinator.replicas: 2 coordinators cannot share a volume that is ReadWriteOnce; keep"
                + " images in S3 (results.bucket), or on a volume that is ReadWriteMany"),
        refusals("insecure: true", "coordinator: {replicas: 2}"));
  }

  @Test
  void aRouteNeedsItsGatewayAndAnIngressItsHost() {
    assertEquals(
        List.of(
            "gateway.parentRefs: name the Gateway",
            "ingress.grpc.host: name the host by which the gRPC port is called"),
        refusals("insecure: true", "gateway: {enabled: true}", "ingress: {enabled: true}"));
  }

  @Test
  void aPoolThatContradictsItselfIsNamed() {
    assertEquals(
        List.of(
            "pools, a: gpu.resource and gpu.deviceClass are two ways to a GPU; choose one",
            "pools, a: model.claim and model.image are two places of a model; choose one",
            "pools: there are two named a",
            "pools, a: model.path is a folder of model.claim or model.image; name one",
            "pools, a: autoscaling.minReplicas is more than maxReplicas"),
        refusals(
            "insecure: true",
            "pools:",
            "  - {name: a, gpu: {resource: nvidia.com/gpu, deviceClass: d}, model: {claim: c, image: i}}",
            "  - {name: a, model: {path: p}, autoscaling: {enabled: true, minReplicas: 3, maxReplicas: 2}}"));
  }

  @Test
  void claimsOfDevicesNeedAKubernetesThatHasThem() {
    RuntimeException refused =
        assertThrows(
            RuntimeException.class,
            () ->
                Chart.rendered(
                    "insecure: true\npools: [{name: a, gpu: {deviceClass: gpu.nvidia.com}}]",
                    "1.33.2",
                    Chart.RELEASE));
    assertEquals(
        List.of("pools, a: gpu.deviceClass needs Kubernetes 1.34, and this is v1.33.2"),
        Chart.refusals(refused));
  }

  @Test
  void anOlderKubernetesIsRefused() {
    RuntimeException refused =
        assertThrows(
            RuntimeException.class,
            () -> Chart.rendered("insecure: true", "1.29.0", Chart.RELEASE));
    assertTrue(refused.getMessage().contains(">=1.30.0-0"), refused.getMessage());
  }

  /** Values that the schema refuses, and what Helm then names. */
  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      textBlock =
          """
          color: red                                          | color
          coordinator: {replica: 2}                           | replica
          coordinator: {replicas: two}                        | /coordinator/replicas
          coordinator: {replicas: 0}                          | /coordinator/replicas
          coordinator: {settings: {bind: 127.0.0.1}}          | bind
          coordinator: {settings: {leaseDuration: 10s}}       | leaseDuration
          coordinator: {image: {digest: sha256:12}}           | /coordinator/image/digest
          pools: [{name: GPU}]                                | /pools/0/name
          pools: [{replicas: 2}]                              | /pools/0
          pools: [{name: a, gpu: {count: 8}}]                 | count
          pools: [{name: a, model: {claim: m, path: ../x}}]   | /pools/0/model/path
          pools: [{name: a, dtype: int8}]                     | /pools/0/dtype
          pools: [{name: a, autoscaling: {metadata: {pool: b}}}] | pool
          poolDefaults: {resources: {limit: {}}}              | limit
          s3: {endpoint: minio.example}                       | /s3/endpoint
          coordinator: {secretFiles: [{setting: tls-key, secret: a, key: b}]} | /coordinator/secretFiles/0
          results: {volume: {accessMode: ReadOnlyMany}}       | /results/volume/accessMode
          redis: {bundled: {password: secret}}                | password
          tenants: {secret: 'a, b'}                           | /tenants/secret
          commonLabels: {app.kubernetes.io/name: other}       | app.kubernetes.io/name
          log: {level: loud}                                  | /log/level
          networkPolicy: {clients: everybody}                 | /networkPolicy/clients
          """)
  void theSchemaNamesWhatIsWrong(String values, String named) {
    String message = refused("insecure: true", values).getMessage();
    assertTrue(message.contains("values don't meet the specifications"), message);
    assertTrue(message.replaceFirst("(?s).*specifications", "").contains(named), message);
  }

  /** Where anything may stand: it goes into an object as it is. */
  private static final Set<String> AS_IT_IS =
      Set.of("affinity", "behavior", "global", "podSecurityContext", "securityContext");

  @Test
  void theSchemaLetsNothingPassThatItDoesNotName() {
    List<String> open = new ArrayList<>();
    collectOpen("", Yamls.read(Chart.FOLDER.resolve("values.schema.json")), open);
    assertEquals(List.of(), open);
  }

  private static void collectOpen(String name, Map<String, Object> schema, List<String> open) {
    if ("object".equals(schema.get("type"))
        && !schema.containsKey("additionalProperties")
        && !AS_IT_IS.contains(name)
        && !name.equals("items")) {
      open.add(name);
    }
    schema.forEach(
        (key, value) -> {
          if (value instanceof Map) {
            collectOpen(key, Yamls.map(value), open);
          }
        });
  }
}
