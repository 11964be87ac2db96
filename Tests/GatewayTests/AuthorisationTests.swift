import Configuration
import InferenceTypes
import Testing

@testable import Gateway

extension OverSockets {
    /// Who may use what: nobody anything, unless the file says so.
    @Suite struct AuthorisationTests {
        /// Two pools with a model each; "all" may use both, "one" the first pool, "narrow" both
        /// pools but the second model only, and "free" may send what others may not.
        private func fixture() throws -> GatewayFixture {
            try GatewayFixture([.init(), .init()]) { configuration in
                configuration.models.append(GatewayConfiguration.Model(name: "second-model"))
                configuration.pools[1].models = [
                    .init(model: ModelID(1), upstream: "upstream-model")
                ]
                let both = [PoolID(0), PoolID(1)]
                for name in ["all", "one", "narrow", "free"] {
                    var tenant = GatewayConfiguration.Tenant(name: name)
                    tenant.apiKeys = ["key-\(name)", "new-\(name)"].compactMap {
                        KeyDigest(hexadecimal: KeyRingTests.digest(of: $0).hexadecimal)
                    }
                    tenant.pools = name == "one" ? [PoolID(0)] : both
                    if name == "narrow" { tenant.models = [ModelID(1)] }
                    tenant.allowRestrictedFields = name == "free"
                    tenant.allowRemoteMedia = name == "free"
                    configuration.tenants.append(tenant)
                }
                configuration.admin.apiKeySHA256 = KeyDigest(
                    hexadecimal: KeyRingTests.digest(of: "admin").hexadecimal)
            }
        }

        private func key(_ tenant: String) -> [String: String] {
            ["authorization": "Bearer key-\(tenant)"]
        }

        private func models(_ fixture: GatewayFixture, _ tenant: String) -> Set<String> {
            let page = RawClient.get(fixture.port, "/v1/models", fields: key(tenant))
            let list = JSONText.object(page.body)["data"] as? [[String: Any]] ?? []
            return Set(list.compactMap { $0["id"] as? String })
        }

        @Test func withoutAKeyNothingIsServedOrListed() throws {
            let fixture = try fixture()
            defer { fixture.stop() }
            for fields in [[:], ["authorization": "Bearer nonsense"], ["authorization": "x"]] {
                let answer = fixture.post(Prompts.chat(), fields: fields)
                #expect(answer.status == 401)
                #expect(RawClient.get(fixture.port, "/v1/models", fields: fields).status == 401)
            }
            #expect(fixture.state(0).generationTokens == 0)
            for path in ["/health", "/liveness", "/readiness", "/version"] {
                #expect(RawClient.get(fixture.port, path).status == 200, "\(path)")
            }
        }

        @Test func bothKeysOfATenantWork() throws {
            let fixture = try fixture()
            defer { fixture.stop() }
            for value in ["Bearer key-all", "bearer new-all", "key-all"] {
                let answer = fixture.post(Prompts.chat(), fields: ["authorization": value])
                #expect(answer.status == 200, "\(value)")
            }
        }

        @Test func tenantsSeeAndUseTheirOwn() throws {
            let fixture = try fixture()
            defer { fixture.stop() }
            let first = GatewayFixture.model
            let allowed: [String: Set<String>] = [
                "all": [first, "second-model"], "one": [first], "narrow": ["second-model"],
            ]
            for (tenant, own) in allowed {
                #expect(models(fixture, tenant) == own, "\(tenant)")
                for model in [first, "second-model"] {
                    let expected = own.contains(model) ? 200 : 404
                    let answer = fixture.post(Prompts.chat(model: model), fields: key(tenant))
                    #expect(answer.status == expected, "\(tenant) \(model)")
                    let page = RawClient.get(
                        fixture.port, "/v1/models/\(model)", fields: key(tenant))
                    #expect(page.status == expected, "\(tenant) \(model)")
                }
            }
            // What is forbidden looks like what does not exist.
            let absent = fixture.post(Prompts.chat(model: "absent"), fields: key("one"))
            let forbidden = fixture.post(Prompts.chat(model: "second-model"), fields: key("one"))
            #expect(
                forbidden.text.replacing("second-model", with: "absent") == absent.text)
            #expect(models(fixture, "all").isDisjoint(with: ["alias"]))
            #expect(
                fixture.post(Prompts.chat(model: "alias"), fields: key("one")).status == 200)
        }

        @Test func restrictedFieldsNeedPermission() throws {
            let fixture = try fixture()
            defer { fixture.stop() }
            for field in ["chat_template", "kv_transfer_params", "vllm_xargs"] {
                let body = Prompts.chat(extra: ",\"\(field)\":\"x\"")
                let refused = fixture.post(body, fields: key("all"))
                #expect(refused.status == 403)
                #expect(refused.text.contains("\"param\":\"\(field)\""))
                #expect(fixture.post(body, fields: key("free")).status == 200)
            }
        }

        @Test(arguments: [
            "http://169.254.169.254/latest", "https://example.com/a.png", "file:///etc/passwd",
        ])
        func remoteMediaNeedPermission(url: String) throws {
            let fixture = try fixture()
            defer { fixture.stop() }
            let body = """
                {"model":"\(GatewayFixture.model)","max_tokens":4,"messages":[{"role":"user",\
                "content":[{"type":"image_url","image_url":{"url":"\(url)"}}]}]}
                """
            let refused = fixture.post(body, fields: key("all"))
            #expect(refused.status == 403)
            #expect(refused.text.contains("remote_media_not_allowed"))
            #expect(fixture.post(body, fields: key("free")).status == 200)
            let inline = body.replacing(url, with: "data:image/png;base64,AAAA")
            #expect(fixture.post(inline, fields: key("all")).status == 200)
        }

        @Test func onlyAnAdminIsToldWhy() throws {
            let fixture = try fixture()
            defer { fixture.stop() }
            let told = ["x-joulegate-endpoint", "x-joulegate-reason"]
            for streams in [false, true] {
                let body = Prompts.chat(streams: streams)
                let plain = fixture.post(body, fields: key("all"))
                #expect(plain.status == 200)
                #expect(told.allSatisfy { plain.fields[$0] == nil })
                var fields = key("all")
                fields["x-joulegate-admin-key"] = "wrong"
                #expect(fixture.post(body, fields: fields).fields[told[0]] == nil)
                fields["x-joulegate-admin-key"] = "admin"
                let explained = fixture.post(body, fields: fields)
                #expect(explained.fields[told[0]]?.hasPrefix("pool-0/127.0.0.1:") == true)
                #expect(explained.fields[told[1]]?.hasPrefix("only_candidate; ") == true)
            }
        }

        /// A wrong key is refused before the body is taken in.
        @Test func aStrangersBodyIsNotRead() throws {
            let fixture = try fixture()
            defer { fixture.stop() }
            let client = try fixture.client()
            client.send(
                "POST /v1/chat/completions HTTP/1.1\r\nhost: x\r\ncontent-length: 8000000\r\n"
                    + "authorization: Bearer wrong\r\nexpect: 100-continue\r\n\r\n")
            #expect(client.response().status == 401)
            #expect(client.rest().isEmpty)
        }
    }
}
