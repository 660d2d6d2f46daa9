import Foundation
import Hummingbird
import RegistrationCore
import RegistrationHTTP
import Testing

@Suite struct OpenAPITests {
    /// Never asked anything: the router is only looked at.
    struct Nobody: AccountStore, SessionStore, ProfileSource, PasswordHasher {
        func add(_ account: NewAccount) async throws(StoreError) -> Bool { throw .busy }
        func credentials(emailKey: String) async throws(StoreError) -> StoredCredentials? { throw .busy }
        func open(_ session: NewSession, maximumPerAccount: Int) async throws(StoreError) { throw .busy }
        func session(_ digest: SessionDigest, at now: UnixTime) async throws(StoreError) -> SessionInfo? { throw .busy }
        func check() async throws(StoreError) { throw .busy }
        func profile(accountID: String) async throws(StoreError) -> Profile? { throw .busy }
        func profile(of session: SessionInfo, request: String) async throws(StoreError) -> Profile? { throw .busy }
        func end(_ digest: SessionDigest) async throws(StoreError) -> Bool { throw .busy }
        func endings() throws(StoreError) -> Int64 { throw .busy }
        func hash(_ password: Password) async throws(HashingError) -> PasswordHash { throw .failed }
        func matches(_ password: Password, phc: String?) async throws(HashingError) -> Bool { throw .failed }
    }

    func document() throws -> [String: Any] {
        let object = try JSONSerialization.jsonObject(with: Data(OpenAPIDocument.bytes))
        return try #require(object as? [String: Any])
    }

    @Test func `the document describes every route, and only routes`() throws {
        let accounts = AccountService(
            store: Nobody(), sessions: Nobody(), profiles: Nobody(), hasher: Nobody(), secrets: try Sodium(),
            normalise: { $0 }, now: { UnixTime(seconds: 0) })
        let router = RegistrationRoutes(accounts: accounts, metrics: RegistrarMetrics()).router()
        let routed = Set(router.routes.map { "\($0.method.rawValue.lowercased()) \($0.path)" })
        let paths = try #require(try document()["paths"] as? [String: [String: Any]])
        let described = Set(paths.flatMap { path, methods in methods.keys.map { "\($0) \(path)" } })
        #expect(routed == described)
        #expect(!routed.isEmpty)
    }

    @Test func `every reference in the document leads somewhere, and every operation has its id and answers`() throws {
        let document = try document()
        #expect(document["openapi"] as? String == "3.1.0")
        func resolve(_ reference: String) -> Any? {
            reference.split(separator: "/").dropFirst().reduce(document as Any?) { value, name in
                (value as? [String: Any])?[String(name)]
            }
        }
        var references = 0
        func visit(_ value: Any) {
            if let list = value as? [Any] { list.forEach(visit) }
            guard let object = value as? [String: Any] else { return }
            if let reference = object["$ref"] as? String {
                references += 1
                #expect(resolve(reference) != nil, "\(reference)")
            }
            object.values.forEach(visit)
        }
        visit(document)
        #expect(references > 10)
        var identifiers: Set<String> = []
        let paths = try #require(document["paths"] as? [String: [String: [String: Any]]])
        for operation in paths.values.flatMap(\.values) {
            #expect(identifiers.insert(try #require(operation["operationId"] as? String)).inserted)
            #expect((operation["responses"] as? [String: Any])?.isEmpty == false)
        }
    }
}
