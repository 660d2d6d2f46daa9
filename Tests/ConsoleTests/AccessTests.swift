import Foundation
import OakumAPI
import OakumHTTP
import OakumModel
import OakumTestKit
import Testing

@Suite struct AccessTests {
    /// What every store of tokens does alike.
    enum Store: CaseIterable { case memory, file }

    private func withStore(_ kind: Store, _ body: (any AccessStore) async throws -> Void) async throws {
        switch kind {
        case .memory: try await body(MemoryAccessStore())
        case .file: try await withTemporaryFolder { try await body(FileAccessStore(path: $0.file("tokens.json"))) }
        }
    }

    private func record(_ id: String, name: String = "ada") -> TokenRecord {
        TokenRecord(
            id: id, name: name, role: .responder, service: nil, digest: "d\(id)", created: Samples.start,
            expires: Samples.moment(60).wall)
    }

    @Test(arguments: Store.allCases)
    func `a store keeps tokens in order, replaces those with one id, and forgets on demand`(_ kind: Store) async throws
    {
        try await withStore(kind) { store in
            #expect(try store.load().isEmpty)
            for id in ["a", "b", "c"] { try store.add(record(id)) }
            #expect(try store.load() == ["a", "b", "c"].map { record($0) })
            try store.add(record("b", name: "grace"))
            #expect(try store.load().map(\.id) == ["a", "c", "b"])
            #expect(try store.load().last == record("b", name: "grace"))
            #expect(try store.remove("a"))
            #expect(try store.remove("a") == false)
            #expect(try store.load().map(\.id) == ["c", "b"])
        }
    }

    @Test func `the file is private, holds no token, and is read again`() async throws {
        try await withTemporaryFolder { folder in
            let path = folder.file("tokens.json")
            let desk = try AccessDesk(store: FileAccessStore(path: path))
            let grant = try await desk.createToken(TokenRequest(name: "ada", role: .admin), by: "test")
            let attributes = try FileManager.default.attributesOfItem(atPath: path)
            #expect(attributes[.posixPermissions] as? Int == 0o600)
            let text = try String(contentsOfFile: path, encoding: .utf8)
            #expect(!text.contains(grant.token) && !text.contains(grant.token.dropFirst(4)))
            let again = try AccessDesk(store: FileAccessStore(path: path))
            #expect(try await again.tokens().map(\.id) == [grant.summary.id])
            chmod(path, 0o644)
            #expect(throws: AccessStoreError.self) { try AccessDesk(store: FileAccessStore(path: path)) }
            chmod(path, 0o600)
            try Data("{".utf8).write(to: URL(fileURLWithPath: path))
            #expect(throws: AccessStoreError.self) { try AccessDesk(store: FileAccessStore(path: path)) }
        }
    }

    @Test func `tokens look as told, and intake tokens have the length of a routing key`() async throws {
        let parts = try await GuardedParts()
        #expect(try parts.token(.admin).hasPrefix("oak_"))
        #expect(try parts.token(.admin).count == 47)
        #expect(try parts.token(.intake).count == 32)
        #expect(Set(parts.tokens.values).count == 4)
    }

    @Test(arguments: [
        TokenRequest(name: "", role: .reader), TokenRequest(name: "a\nb", role: .reader),
        TokenRequest(name: String(repeating: "x", count: 65), role: .reader),
        TokenRequest(name: "ada", role: .reader, expiresSeconds: 59),
        TokenRequest(name: "ada", role: .reader, expiresSeconds: 400 * 86_400),
        TokenRequest(name: "ada", role: .reader, expiresSeconds: .nan),
        TokenRequest(name: "ada", role: .intake, service: "a\u{202E}b"),
    ])
    func `odd tokens are not made`(_ request: TokenRequest) async throws {
        let desk = try AccessDesk(store: MemoryAccessStore())
        await #expect(throws: ControlError.self) { try await desk.createToken(request, by: "test") }
        #expect(try await desk.tokens().isEmpty)
    }

    @Test func `a store that cannot write makes no token and takes none back`() async throws {
        let store = MemoryAccessStore()
        let desk = try AccessDesk(store: store)
        let grant = try await desk.createToken(TokenRequest(name: "ada", role: .reader), by: "test")
        store.fail(AccessStoreError("the disk is full"))
        await #expect(throws: ControlError.failed("the disk is full")) {
            try await desk.createToken(TokenRequest(name: "bob", role: .reader), by: "test")
        }
        await #expect(throws: ControlError.failed("the disk is full")) {
            try await desk.revokeToken(grant.summary.id, by: "test")
        }
        #expect(try await desk.tokens().map(\.name) == ["ada"])
    }

    @Test func `roles cover what they say`() {
        let covered = AccessRole.allCases.map { role in AccessRole.allCases.filter(role.covers) }
        #expect(covered == [[.intake], [.reader], [.reader, .responder], [.reader, .responder, .admin]])
    }
}
