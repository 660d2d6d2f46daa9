import Foundation
import OakumHTTP
import Testing

/// The table of needs, the routers and the document say the same.
@Suite struct RouteTableTests {
    @Test func `every route has its row, and every row its route`() {
        let plane = FakeControlPlane()
        #expect(ServedRoutes.console(plane, logger: quiet) == ServedRoutes.tabled.console)
        #expect(ServedRoutes.control(plane, logger: quiet) == ServedRoutes.tabled.control)
        #expect(ServedRoutes.tabled.console.count > 40)
    }

    @Test func `the document describes every route that is not a page, and only routes`() {
        let routes = ServedRoutes.tabled.console.union(ServedRoutes.tabled.control).subtracting(ServedRoutes.pages)
        #expect(OpenAPIDocument.operations == routes)
    }

    @Test func `every reference in the document leads somewhere, and every operation has its id and answers`() throws {
        let object = try JSONSerialization.jsonObject(with: Data(OpenAPIDocument.bytes))
        let document = try #require(object as? [String: Any])
        #expect(document["openapi"] as? String == "3.1.0")
        var references = 0
        func visit(_ value: Any) {
            if let list = value as? [Any] { list.forEach(visit) }
            guard let object = value as? [String: Any] else { return }
            if let reference = object["$ref"] as? String {
                references += 1
                let target = reference.split(separator: "/").dropFirst().reduce(document as Any?) { value, name in
                    (value as? [String: Any])?[String(name)]
                }
                #expect(target != nil, "\(reference)")
            }
            object.values.forEach(visit)
        }
        visit(document)
        #expect(references > 50)
        var identifiers: Set<String> = []
        let paths = try #require(document["paths"] as? [String: [String: [String: Any]]])
        for operation in paths.values.flatMap(\.values) {
            #expect(identifiers.insert(try #require(operation["operationId"] as? String)).inserted)
            #expect((operation["responses"] as? [String: Any])?.isEmpty == false)
        }
    }
}
