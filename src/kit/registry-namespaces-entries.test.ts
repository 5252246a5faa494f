import { describe, expect, test } from "vitest";
import { InvalidValue } from "./invalid-value.ts";
import { extendNamespaces, namespaceProblems } from "./registry-namespaces-entries.ts";

const said = (entries: Readonly<Record<string, string>>) =>
  namespaceProblems(entries).map(({ registry, message }) => `${registry}: ${message}`);

describe("keys", () => {
  test.each([
    ["*", "write * and the rest of a host"],
    ["quay.*", "write * and the rest of a host"],
    ["*.*.example.org", "write * and the rest"],
    ["*.Example.org", "lower case"],
    ["*lab.example.org", "write * and the rest"],
    ["Quay.io", "write quay.io in lower case"],
    ["not a host", "not a host name"],
    ["", "not a host name"],
    ["quay", "quay.io or quay:5000"],
    ["https://quay.io", "write quay.io alone"],
    ["quay.io/biocontainers", "write quay.io"],
    ["index.docker.io", "another name of docker.io; write docker.io"],
    ["registry-1.docker.io", "write docker.io"],
    ["registry.hub.docker.com", "write docker.io"],
    ["hub.docker.com", "write docker.io"],
    ["k8s.gcr.io", "write registry.k8s.io"],
    ["quay.io:443", "write quay.io"],
    ["*.example.org:443", "write *.example.org"],
    ["lab.example:007", "write 7"],
    ["[0:0:0:0:0:0:0:1]:5000", "write [::1]:5000"],
    ["__proto__", "not a host name"],
    ["constructor", "constructor.example.org"],
    ["444455556666.dkr.ecr-fips.us-east-1.amazonaws.com", "write 444455556666.dkr.ecr.us-east-1.amazonaws.com"],
    ["444455556666.dkr-ecr.us-east-1.on.aws", "write 444455556666.dkr.ecr.us-east-1.amazonaws.com"],
    ["*.dkr.ecr-fips.us-east-1.amazonaws.com", "write *.dkr.ecr.us-east-1.amazonaws.com"],
  ])("refuses %j", (key, sentence) => {
    const entries = Object.fromEntries([[key, key.includes("*") ? "mine/*" : "mine"]]);
    expect(said(entries)).toEqual([expect.stringContaining(sentence)]);
    expect(() => extendNamespaces(entries)).toThrow(InvalidValue);
  });
});

describe("namespaces", () => {
  test.each([
    ["a", "2 to 256"],
    ["", "2 to 256"],
    ["Mine", "2 to 256"],
    ["/mine", "2 to 256"],
    ["mine/", "2 to 256"],
    ["a//b", "2 to 256"],
    ["a_", "2 to 256"],
    ["a._b", "2 to 256"],
    ["a___b", "2 to 256"],
    ["ROOT", "2 to 256"],
    ["mine:5000", "2 to 256"],
    ["mïne", "2 to 256"],
    ["x".repeat(255), "2 to 256"],
    ["mine/*", "without *, as in lab-example"],
    ["quay", "would meet those of quay.io, which go to quay/"],
    ["quay/lab", "would meet those of quay.io"],
    ["dockerhub", "would meet those of docker.io"],
    ["gcr", "would meet those of gcr.io"],
    ["acr", "would meet those of *.azurecr.io"],
    ["acr/lab", "would meet those of *.azurecr.io"],
    ["acr/lab/deep", "would meet those of *.azurecr.io"],
    ["ecr", "private ECR of other accounts"],
    ["ecr/111122223333/us-east-1", "private ECR of other accounts"],
    ["ecr/tools", "private ECR of other accounts"],
    ["other.example", "images of other.example go to other.example/"],
    ["localhost", "images of localhost go to"],
    ["localhost_5000", "images of localhost:5000 go to"],
    ["tools_8080/x", "images of tools:8080 go to"],
    ["ipv6_0-0-0-0-0-0-0-1", "images of [::1] go to ipv6_0-0-0-0-0-0-0-1/"],
    ["ipv6_x", "images of [::1] go to"],
  ])("refuses %j for a registry", (namespace, sentence) => {
    expect(said({ "lab.example": namespace })).toEqual([expect.stringContaining(sentence)]);
    expect(said({ "lab.example": namespace })).toEqual([expect.stringContaining("lab-example")]);
  });

  test.each([
    ["mine", "stands for many registries"],
    ["*", "images of localhost go to"],
    ["*/x/*", "2 to 256"],
    ["a**", "2 to 256"],
    ["ecr/*", "private ECR"],
    ["acr/*", "would meet those of *.azurecr.io"],
    ["acr/x-*", "would meet those of *.azurecr.io"],
    ["qua*", "would meet those of quay.io"],
    ["lab.*", "images of lab.x go to lab.x/"],
    ["local*", "images of localhost go to localhost/"],
    ["*host/deep", "images of localhost go to"],
    ["lab_*", "images of lab:5000 go to lab_5000/"],
    ["*_5000", "images of x:5000 go to"],
    ["*_0-0-0-0-0-0-0-1", "images of [::1] go to"],
  ])("refuses %j for registries by pattern", (namespace, sentence) => {
    expect(said({ "*.lab.example": namespace })).toEqual([expect.stringContaining(sentence)]);
    expect(said({ "*.lab.example": namespace })).toEqual([expect.stringContaining("lab-example")]);
  });

  test.each<Readonly<Record<string, string>>>([
    { "eu.gcr.io": "eu-gcr" },
    { "docker.io": "hub" },
    { "lab.example": "lab/containers" },
    { "lab.example:5000": "lab--5000" },
    { "lab.example": "lab.example" },
    { "localhost:5000": "localhost_5000" },
    { "*.lab.example": "lab/*" },
    { "*.lab.example": "*-lab" },
    { "*.lab.example": "*.lab.example" },
    { "*.lab.example:5000": "*.lab.example_5000" },
    { "*.lab.example": "lab_x*" },
    { "[::1]:5000": "here" },
    // What omx has already, said again.
    {
      "quay.io": "quay",
      "*.gcr.io": "gcr",
      "eu.gcr.io": "gcr",
      "mine.azurecr.io": "acr/mine",
      "444455556666.dkr.ecr.us-east-1.amazonaws.com": "ecr/444455556666/us-east-1",
    },
    // A namespace that its registry has given up.
    { "quay.io": "q2", "lab.example": "quay" },
    { "lab.example": "quay", "quay.io": "q2" },
    { "*.azurecr.io": "azure/*", "lab.example": "acr" },
    { "444455556666.dkr.ecr.us-east-1.amazonaws.com": "partner" },
    { "*.dkr.ecr.us-east-1.amazonaws.com": "accounts/*" },
    { "lab.example": "x".repeat(253) },
  ])("takes %j", (entries) => {
    expect(said(entries)).toEqual([]);
    expect(extendNamespaces(entries)).toMatchObject(entries);
  });

  test("two entries that would meet are told at the second, each problem at its own entry", () => {
    expect(said({ "one.example": "lab", "two.example": "lab/two", "three.example": "lab2" })).toEqual([
      expect.stringMatching(/^two\.example: images of two\.example would meet those of one\.example, which go to lab\//),
    ]);
    expect(said({ "a.example": "lab/*", "b.example": "B", "index.docker.io": "hub" }).map((text) => text.split(":")[0])).toEqual([
      "a.example",
      "b.example",
      "index.docker.io",
    ]);
  });

  test("an error names the entry and what to write", () => {
    expect(() => extendNamespaces({ "lab.example": "quay" })).toThrow(
      '"lab.example: quay" is not a valid entry of namespaces: images of lab.example would meet those of quay.io, which go to quay/; write another namespace, as in lab-example',
    );
  });
});
