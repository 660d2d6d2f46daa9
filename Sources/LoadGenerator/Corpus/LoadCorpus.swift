/// Requests to load a service with, by endpoint: from its OpenAPI document, an access log, or a scenario.
///
/// Paths and bodies hold variables: `${key}` where another value makes another request, so that the caller can choose
/// between a fixed pool of keys and keys that never come back (`KeySource`).
package struct LoadCorpus: Sendable {
    package struct Endpoint: Sendable {
        /// "GET /v1/users/{id}": method and path, with what identifies a thing in braces.
        package var name: String
        /// To be sent in turn. At least one.
        package var requests: [RequestTemplate]
        /// How often it is asked for beside the others.
        package var weight: Double
        /// GET, HEAD and OPTIONS: asking changes nothing (RFC 9110 section 9.2.1).
        package var isSafe: Bool
        /// When the requests differ in their path alone: these paths.
        var paths: [String] = []

        package init(name: String, requests: [RequestTemplate], weight: Double = 1, isSafe: Bool) {
            self.name = name
            self.requests = requests
            self.weight = weight
            self.isSafe = isSafe
        }
    }

    package var endpoints: [Endpoint]
    /// What was left out, and why.
    package var notes: [String]

    package init(endpoints: [Endpoint], notes: [String] = []) {
        self.endpoints = endpoints
        self.notes = notes
    }

    /// Without endpoints that change something.
    package var safe: LoadCorpus {
        var result = self
        result.endpoints = endpoints.filter(\.isSafe)
        let left = endpoints.count - result.endpoints.count
        if left > 0 { result.notes.append("\(left) endpoints that change something are left out") }
        return result
    }

    /// The same requests with more headers, an authorization for example.
    package func adding(headers: [(name: String, value: TextTemplate)]) -> LoadCorpus {
        var result = self
        for endpoint in result.endpoints.indices {
            for request in result.endpoints[endpoint].requests.indices {
                result.endpoints[endpoint].requests[request].headers += headers
            }
        }
        return result
    }

    /// A stream for each endpoint whose requests differ in their path alone, one for each request of the others; those
    /// share the endpoint's weight.
    package var flows: [LoadStream] {
        endpoints.flatMap { endpoint in
            if endpoint.paths.count > 1, var request = endpoint.requests.first {
                request.path = TextTemplate(variable: "target")
                let paths = FlowVariable(name: "target", values: endpoint.paths.map { Array($0.utf8) })
                return [LoadStream(request: request, weight: endpoint.weight, variables: [paths])]
            }
            return endpoint.requests.map { request in
                LoadStream(request: request, weight: endpoint.weight / Double(endpoint.requests.count))
            }
        }
    }
}

extension LoadScenario {
    /// The requests of the scenario as a corpus: each flow is an endpoint. What a request takes from an answer is for
    /// all later ones (`Extraction.isShared`), since a batch knows no users.
    package var corpus: LoadCorpus {
        LoadCorpus(
            endpoints: flows.map { flow in
                let requests = flow.requests.map { request in
                    var request = request
                    for number in request.extractions.indices { request.extractions[number].isShared = true }
                    return request
                }
                return LoadCorpus.Endpoint(
                    name: requests.map(\.name).joined(separator: ", "), requests: requests, weight: flow.weight,
                    isSafe: requests.allSatisfy { ["GET", "HEAD", "OPTIONS"].contains($0.method) })
            })
    }
}
