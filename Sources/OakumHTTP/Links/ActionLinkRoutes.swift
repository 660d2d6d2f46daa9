import HTTPTypes
import Hummingbird
import Logging
import NIOCore
import OakumAPI
import OakumModel

/// `/a/TOKEN`: acts on an incident without signing in.
///
/// GET shows what would be done, POST does it: mail scanners and chat previews follow links with GET, so it never acts.
struct ActionLinkRoutes: Sendable {
    let parts: ResponseParts

    func add(to router: Router<OakumContext>) {
        router.get("/a/{token}") { _, context in await show(context) }
        router.post("/a/{token}") { request, context in
            // A page of another site cannot know the token; one that does has no business in a hidden frame.
            guard !SignInPage.comesFromElsewhere(request.headers) else {
                throw HTTPFailure(Problem(.forbidden("open the link itself, then press its button")))
            }
            return await act(context)
        }
    }

    private func show(_ context: OakumContext) async -> Response {
        switch await opened(context) {
        case .failure(let response): return response
        case .success(let (links, plane, link)):
            let incident: Incident
            do throws(ControlError) {
                incident = try await plane.incident(link.incident).incident
            } catch {
                return Self.page(ActionLinkPage.trouble(error.message), status: error.status)
            }
            return Self.page(
                ActionLinkPage.question(link, incident, isUsed: links.isUsed(link)), status: 200)
        }
    }

    @concurrent
    private func act(_ context: OakumContext) async -> Response {
        switch await opened(context) {
        case .failure(let response): return response
        case .success(let (links, plane, link)):
            let principal = Principal(name: link.person, role: .responder, evidence: .link)
            let (response, status) = await perform(links, plane, link, context)
            await parts.record(
                "incident.\(link.action.rawValue)", context, principal: principal, status: status)
            return response
        }
    }

    private func perform(
        _ links: ActionLinks, _ plane: any IncidentPlane, _ link: ActionLink, _ context: OakumContext
    ) async -> (Response, Int) {
        context.audit.tell(object: "\(link.incident)")
        switch links.claim(link) {
        case .free: break
        case .used, .underWay:
            context.audit.tell(words: "unchanged: the link has acted before")
            return (Self.page(ActionLinkPage.usedBefore(link), status: 200), 200)
        }
        do throws(ControlError) {
            let outcome = try await plane.act(link.act, by: link.person)
            do throws(SigningKeyError) {
                try links.finish(link)
            } catch {
                // It has acted, and does so once for as long as oakum runs; only a restart would forget.
                context.logger.error("a used link is not kept", metadata: ["error": "\(error)"])
            }
            context.audit.tell(words: outcome.changed ? nil : "unchanged: \(outcome.message)")
            return (Self.page(ActionLinkPage.done(link, outcome), status: 200), 200)
        } catch {
            links.release(link)
            context.audit.tell(words: error.message)
            let response = Self.page(ActionLinkPage.trouble(error.message), status: error.status)
            return (response, error.status)
        }
    }

    // MARK: - Reading the token

    private enum Opened {
        case success((ActionLinks, any IncidentPlane, ActionLink))
        case failure(Response)
    }

    private func opened(_ context: OakumContext) async -> Opened {
        guard let links = parts.links, let plane = parts.incidents else {
            return .failure(Self.page(ActionLinkPage.trouble("Links are not configured in this oakum."), status: 404))
        }
        do throws(ActionLink.Refusal) {
            return .success((links, plane, try links.verify(context.parameters.get("token") ?? "")))
        } catch {
            switch error {
            case .expired(let link):
                return .failure(Self.page(ActionLinkPage.expired(link), status: 410))
            case .forged:
                return .failure(await forged(context))
            }
        }
    }

    private func forged(_ context: OakumContext) async -> Response {
        if case .slowDown(let seconds)? = parts.access?.failed(from: context.place) {
            return HTTPFailure.tooManyFailures(seconds).response
        }
        await parts.recordDenial("action_link", context, principal: nil, status: 403)
        return Self.page(ActionLinkPage.trouble("This link is not one of Oakum's, or not whole."), status: 403)
    }

    private static func page(_ markup: Markup, status: Int) -> Response {
        var response = APIRoutes.answer("text/html; charset=utf-8", ByteBuffer(string: markup.html))
        response.status = HTTPResponse.Status(code: status)
        // The address is a secret: it goes nowhere else, and into no index.
        if let name = HTTPField.Name("Referrer-Policy") { response.headers[name] = "no-referrer" }
        if let name = HTTPField.Name("X-Robots-Tag") { response.headers[name] = "noindex, nofollow" }
        return response
    }
}

extension ActionLink {
    fileprivate var act: IncidentAct {
        switch action {
        case .acknowledge: .acknowledge(incident)
        case .resolve: .resolve(incident, nil)
        }
    }
}
