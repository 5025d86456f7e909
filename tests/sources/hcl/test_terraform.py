"""Images in Terraform: which resources and modules run containers, and which images are those of servers."""

from __future__ import annotations

import pytest
from facts import facts, spans
from growth import assert_linear
from tables import each

from imgref.sources import find_references
from imgref.sources.hcl.terraform import read
from imgref.update.consumers import takes_tag_and_digest

DIGEST = "sha256:" + "0" * 64


@each(
    "text",
    [
        'resource "docker_container" "a" { image = "IMAGE" }',
        'resource "docker_service" "a" { task_spec { container_spec { image = "IMAGE" } } }',
        'resource "docker_image" "a" { name = "IMAGE" }',
        'data "docker_image" "a" { name = "IMAGE" }',
        'data "docker_registry_image" "a" { name = "IMAGE" }',
        'resource "kubernetes_deployment_v1" "a" { spec { template { spec { container { image = "IMAGE" } } } } }',
        'resource "kubernetes_pod" "a" { spec { init_container { image = "IMAGE" } } }',
        'resource "kubernetes_pod" "a" { spec { dynamic "container" { content { image = "IMAGE" } } } }',
        'resource "kubernetes_manifest" "a" { manifest = { spec = { image = "IMAGE" } } }',
        'resource "azurerm_container_group" "a" { container { image = "IMAGE" } }',
        'resource "azurerm_container_app" "a" { template { init_container { image = "IMAGE" } } }',
        'resource "google_cloud_run_service" "a" { template { spec { containers { image = "IMAGE" } } } }',
        'resource "google_cloud_run_v2_job" "a" { template { template { containers { image = "IMAGE" } } } }',
        'resource "aws_ecs_task_definition" "a" { container_definitions = jsonencode([{ image = "IMAGE" }]) }',
        'resource "aws_ecs_task_definition" "a" { container_definitions = jsonencode([{ "image": "IMAGE" }]) }',
        'resource "aws_ecs_task_definition" "a" {\ncontainer_definitions = <<E\n[{"image": "IMAGE"}]\nE\n}',
        'locals {\ncontainer_definitions = <<E\n[{"a": ${f({ b = "c" })}, "image": "IMAGE"}]\nE\n}',
        'resource "aws_batch_job_definition" "a" { container_properties = jsonencode({ image = "IMAGE" }) }',
        'resource "aws_codebuild_project" "a" { environment { image = "IMAGE" } }',
        'module "a" { source = "x/codebuild"\n environment = { image = "IMAGE" } }',
        'module "a" { container_image = "IMAGE" }',
        'module "a" { container_definitions = { b = { image = "IMAGE" } } }',
        'module "a" { containers = [{ image = "IMAGE" }] }',
        'module "a" { source = "x/cloud-run/google"\n image = "IMAGE" }',
        'module "ecs_service" { source = "./x"\n image = "IMAGE" }',
        'locals { container_definition = { image = "IMAGE" } }',
        'resource "nomad_job" "a" { jobspec = templatefile("x", { image = "IMAGE" }) }',
        '{"resource": {"docker_container": {"a": {"image": "IMAGE"}}}}',
        '{"resource": [{"kubernetes_pod": {"a": [{"spec": [{"container": [{"image": "IMAGE"}]}]}]}}]}',
    ],
)
def test_terraform_has_the_images_of_containers(text: str) -> None:
    text = text.replace("IMAGE", "nginx:1.27")
    ((line, column, *rest),) = facts(read(text))
    assert rest == ["nginx:1.27", "nginx:1.27", "external"]
    assert text.splitlines()[line - 1][column - 1 :].startswith("nginx:1.27")
    assert spans(read(text), text) == ["nginx:1.27"]


@each(
    "text",
    [
        'resource "digitalocean_droplet" "a" { image = "ubuntu-20-04-x64" }',
        'resource "hcloud_server" "a" { image = "ubuntu-22.04" }',
        'resource "google_compute_instance" "a" { boot_disk { initialize_params { image = "a/b" } } }',
        'resource "aws_instance" "a" { ami = "ami-1"\n image_id = "ami-1" }',
        'resource "docker_registry_image" "a" { name = "a" }',
        'resource "kubernetes_config_map" "a" { data = { image = "a" } }',
        'resource "helm_release" "a" { repository = "a"\n chart = "b" }',
        'variable "a" { type = object({ image = string, container = object({ image = string }) }) }',
        'variable "image" { default = "nginx" }',
        'output "image" { value = "nginx" }',
        'locals { image = "nginx"\n server = { image = "ubuntu-22.04" } }',
        'module "server" { source = "./server"\n image = "ubuntu-22.04" }',
        'module "vm" { source = "./vm"\n image = "ubuntu-os-cloud/ubuntu-2204-lts" }',
        'module "vm" { image = "https://www.googleapis.com/compute/v1/a" }',
        'module "a" { container_image = null }',
        'resource "docker_container" "a" { image = "" }',
        'resource "local_file" "a" { content = templatefile("x", { image = "a" }) }',
        'resource "x" "a" { container_definitions = <<E\n[{"name": "image"}]\nE\n}',
        '# image = "nginx"\n',
    ],
)
def test_terraform_has_no_images_of_servers_nor_names_of_anything_else(text: str) -> None:
    reading = read(text)
    assert facts(reading) == []
    assert not reading.problems


@each(
    ("value", "expected"),
    [
        ("var.image", ("var.image", "nginx:1.27", "external")),
        ('"${var.image}"', ("${var.image}", "nginx:1.27", "external")),
        ('"nginx:${local.tag}"', ("nginx:${local.tag}", "nginx:3", "external")),
        ("docker_image.x.image_id", ("docker_image.x.image_id", None, "unresolved")),
        ("each.value.image", ("each.value.image", None, "unresolved")),
        ('var.a ? "b" : "c"', ('var.a ? "b" : "c"', None, "unresolved")),
        ('format("%s:1", "a")', ('format("%s:1", "a")', None, "unresolved")),
        (
            '"${aws_ecr_repository.x.url}:1"',
            ("${aws_ecr_repository.x.url}:1", None, "unresolved"),
        ),
        ('"BAD"', ("BAD", "BAD", "invalid")),
    ],
)
def test_terraform_follows_variables_of_the_file(value: str, expected: tuple[str, str | None, str]) -> None:
    text = f"""\
variable "image" {{ default = "nginx:1.27" }}
locals {{ tag = "3" }}
resource "docker_container" "a" {{
  image = {value}
}}
"""
    assert [fact[2:] for fact in facts(read(text))] == [expected]


def test_terraform_image_that_the_file_builds_is_built_here() -> None:
    text = 'resource "docker_image" "a" {\n  name = "app:1"\n  build {\n    context = "."\n  }\n}\n'
    assert facts(read(text)) == [(2, 11, "app:1", "app:1", "built-here")]


@pytest.mark.parametrize("image", ["us-docker.pkg.dev/a/b:1", "${local.x}-docker.pkg.dev/${var.y}/b", "ghcr.io/a/b"])
def test_terraform_module_with_an_image_of_a_registry_has_it(image: str) -> None:
    assert [fact[2] for fact in facts(read(f'module "x" {{ image = "{image}" }}'))] == [image]


def test_terraform_pins_what_kubernetes_runs_only() -> None:
    text = (
        'resource "kubernetes_pod" "a" { spec { container { image = "a" } } }\n'
        'resource "docker_container" "a" { image = "a" }\n'
    )
    certain = [takes_tag_and_digest("terraform", one.construct) for one in read(text).occurrences]
    assert certain == [True, False]


@pytest.mark.parametrize("name", ["main.tf", "main.tf.json", "main.tofu", "a/b.tf"])
def test_terraform_is_recognized_by_name(name: str) -> None:
    assert find_references("{}" if name.endswith("json") else "", path=name).kind == "terraform"


def test_terraform_without_images_is_not_parsed() -> None:
    assert not read("this { is [ not ) HCL").problems
    assert read('x { image = "').problems


@each(
    "part",
    ['resource "docker_image" "a" {\n', "container {", "image = local.a\n", "container_definitions = <<E\n[\nE\n", "${",
     "f(", 'module "a" {\n', 'resource "a" "b" { image = "x" }\n'],
)  # fmt: skip
@each("before", ["", 'resource "x" "y" { container_definitions = <<E\n', 'module "x" { image = "'])
def test_terraform_of_many_parts_takes_linear_time(part: str, before: str) -> None:
    assert_linear(lambda size: before + part * size, read, 100, 3)
