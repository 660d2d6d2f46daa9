import Artefacts
import OakumTestKit
import Testing

@Suite(.timeLimit(.minutes(1)))
struct ManifestTests {
    @Test func `every key arrives`() throws {
        var release = TestRelease()
        release.links = [("link", "bin/web")]
        release.changes = [
            "build_ids": "{\"bin/web\": \"0123456789abcdef\"}", "unknown": "{\"to\": [\"this\", \"version\"]}",
            "migration": "{\"one_way\": true, \"because\": \"a column is dropped\"}",
            "defaults": """
            {"environment": {"A": "b"}, "listen": "127.0.0.1:80", "workers": 4, "memory_budget_bytes": 5000,
             "health_path": "/readyz"}
            """,
        ]
        let manifest = try Manifest(json: Array(release.manifest.utf8))
        #expect(manifest.name == "web")
        #expect(manifest.release == "1.4.2-abc123")
        #expect(manifest.created == "2026-01-31T12:00:00Z")
        #expect(manifest.buildIDs == ["bin/web": "0123456789abcdef"])
        #expect(manifest.files.map(\.path) == ["bin/web", "share/page.html", "sbom.cdx.json"])
        #expect(manifest.files.map(\.modeBits) == [0o755, 0o644, 0o644])
        #expect(manifest.links == [.init(path: "link", target: "bin/web")])
        #expect(manifest.systemPackages == ["libsqlite3-0"])
        #expect(manifest.command == ["bin/web", "--port", "80"])
        #expect(manifest.migration.oneWay)
        #expect(manifest.defaults?.workers == 4)
        #expect(manifest.defaults?.memoryBudgetBytes == 5000)
        #expect(manifest.defaults?.environment == ["A": "b"])
        #expect(manifest.defaults?.healthPath == "/readyz")
        #expect(manifest.sbom == "sbom.cdx.json")
    }

    @Test(arguments: [
        "format", "name", "version", "release", "platform", "created", "build_ids", "files", "system_packages",
        "command",
        "migration", "sbom",
    ])
    func `a key that is missing is named`(key: String) throws {
        var release = TestRelease()
        release.changes = [key: nil]
        let error = try #require(
            #expect(throws: ArtefactError.self) { try Manifest(json: Array(release.manifest.utf8)) })
        #expect(error.kind == .manifest)
        #expect(error.description == "manifest.json: \(key) is missing")
    }

    @Test(arguments: [
        ("format", "2", "format 2 is not read here"), ("format", "\"1\"", "format is not a whole number"),
        ("name", "\"Web\"", "name is \"Web\""), ("name", "\"\"", "name is \"\""), ("name", "7", "name is not a text"),
        ("release", "\"../x\"", "release is \"../x\""), ("release", "\"..\"", "release is \"..\""),
        ("version", "\"1 2\"", "version is"), ("version", "null", "version"),
        ("created", "\"yesterday\"", "created is not a time"), ("build_ids", "{\"bin/no\": \"abcdef01\"}", "bin/no"),
        ("build_ids", "{\"bin/web\": \"XY\"}", "hexadecimal"), ("files", "[]", "files is empty"),
        ("files", "{}", "files is not a list"),
        ("files", "[{\"path\": \"a\"}]", "files[0].sha256 is missing"), ("command", "[]", "command is empty"),
        ("command", "[\"bin/other\"]", "bin/other"), ("command", "[\"share/page.html\"]", "may not be run"),
        ("command", "\"bin/web\"", "command is not a list"), ("migration", "{}", "migration.one_way is missing"),
        ("migration", "{\"one_way\": 1}", "migration.one_way is not true or false"),
        ("sbom", "\"no.json\"", "sbom names"),
        ("system_packages", "[\"a;b\"]", "system_packages[0]"), ("defaults", "{\"workers\": 0}", "defaults.workers"),
        ("defaults", "{\"environment\": {\"A=B\": \"c\"}}", "defaults.environment"),
        ("links", "[{\"path\": \"bin/web\", \"target\": \"x\"}]", "in files too"),
    ])
    func `a key that is wrong is named`(key: String, value: String, words: String) throws {
        var release = TestRelease()
        release.changes = [key: value]
        let error = try #require(
            #expect(throws: ArtefactError.self) { try Manifest(json: Array(release.manifest.utf8)) })
        #expect(error.kind == .manifest)
        #expect(error.detail.contains(words), "\(error)")
    }

    @Test(arguments: [
        ("size_bytes", "-1"), ("size_bytes", "9e18"), ("mode", "\"0777\""), ("mode", "\"4755\""),
        ("mode", "\"rwx\""), ("mode", "493"), ("sha256", "\"abc\""), ("path", "\"./bin/web\""),
        ("path", "\"manifest.json\""),
        ("path", "\"share/page.html\""), ("path", "\"manifest.json.minisig\""),
    ])
    func `a file that cannot be is refused`(key: String, value: String) throws {
        let release = TestRelease()
        let hash = sha256(release.files[0].data)
        var keys = ["path": "\"bin/web\"", "sha256": "\"\(hash)\"", "size_bytes": "20", "mode": "\"0755\""]
        keys[key] = value
        let file = "{" + keys.map { "\"\($0)\": \($1)" }.joined(separator: ",") + "}"
        let page = "{\"path\": \"share/page.html\", \"sha256\": \"\(hash)\", \"size_bytes\": 1, \"mode\": \"0644\"}"
        let bill = "{\"path\": \"sbom.cdx.json\", \"sha256\": \"\(hash)\", \"size_bytes\": 1, \"mode\": \"0644\"}"
        var changed = release
        changed.changes = ["files": "[\(page), \(bill), \(file)]"]
        let error = #expect(throws: ArtefactError.self) { try Manifest(json: Array(changed.manifest.utf8)) }
        #expect(error?.kind == .manifest)
        #expect(error?.detail.contains("files[2]") == true, "\(String(describing: error))")
    }

    @Test(arguments: ["1.5", "1e30", "-", "99999999999999999999"])
    func `a number that is no whole number is told`(number: String) throws {
        var release = TestRelease()
        release.changes = ["defaults": "{\"memory_budget_bytes\": \(number)}"]
        let error = #expect(throws: ArtefactError.self) { try Manifest(json: Array(release.manifest.utf8)) }
        #expect(error?.description == "manifest.json: it is not JSON, or a number in it is none that fits")
    }

    @Test func `text that is no JSON is refused, whatever it is`() async throws {
        #expect(
            throws: ArtefactError(.manifest, "manifest.json", "it is not JSON, or a number in it is none that fits")
        ) { try Manifest(json: []) }
        let deep = [UInt8](repeating: UInt8(ascii: "["), count: 100_000)
        #expect(throws: ArtefactError.self) { try Manifest(json: deep) }
        let good = Array(TestRelease().manifest.utf8)
        try await forAll(seeds: 300) { generator in
            let damaged = generator.damaged(good)
            do throws(ArtefactError) {
                _ = try Manifest(json: damaged)
            } catch {
                #expect(!error.description.contains("\n"))
            }
        }
    }

    @Test func `files and manifest must agree in everything`() async throws {
        let release = TestRelease()
        let manifest = TarBytes.Item.file("manifest.json", Array(release.manifest.utf8))
        func kind(_ change: (inout [TarBytes.Item]) -> Void) async throws -> ArtefactError.Kind? {
            var tar = release.tar
            change(&tar.items)
            return try await refusal(of: tar.packed)?.kind
        }
        #expect(try await kind { $0[1].data[0] ^= 1 } == .mismatch)
        #expect(try await kind { $0[1].data.append(1) } == .mismatch)
        #expect(try await kind { $0[1].mode = 0o644 } == .mismatch)
        #expect(try await kind { $0.removeLast() } == .mismatch)
        #expect(try await kind { $0.append(.file("more", [1])) } == .mismatch)
        #expect(try await kind { $0.append(.init("more", "2", link: "bin/web")) } == .mismatch)
        #expect(try await kind { $0.append(.init("more", "1", link: "bin/web")) } == .mismatch)
        #expect(try await kind { $0.append(.init("more", "1", link: "manifest.json")) } == .mismatch)
        #expect(try await kind { $0.removeFirst() } == .manifest)
        #expect(try await kind { $0 = [] } == .manifest)
        #expect(try await kind { $0 = Array($0.dropFirst()) + [manifest] } == .manifest)
        // Group and others never write, whatever the archive says.
        #expect(try await kind { $0[2].mode = 0o666 } == nil)
        // A folder with nothing in it is no file.
        #expect(try await kind { $0.append(.init("empty", "5")) } == nil)

        var linked = release
        linked.links = [("current", "share")]
        var other = linked.tar
        other.items[other.items.count - 1] = .init("current", "2", link: "bin")
        #expect(try await refusal(of: other.packed)?.kind == .mismatch)
        other.items.removeLast()
        #expect(try await refusal(of: other.packed)?.kind == .mismatch)
        linked.links = [("current", "nothing")]
        #expect(try await refusal(of: linked.tar.packed)?.kind == .unsafeLink)
    }
}
