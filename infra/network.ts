// Where tasks run, and functions if wanted: a small network of our own in which nothing can be reached from outside
// and nothing costs while no job runs, or one that is given.

import { Validations } from "aws-cdk-lib";
import { GatewayVpcEndpointAwsService, SecurityGroup, SubnetType, Vpc } from "aws-cdk-lib/aws-ec2";
import type { ISecurityGroup, ISubnet, IVpc, SubnetSelection } from "aws-cdk-lib/aws-ec2";
import { Construct } from "constructs";

export interface NetworkProps {
  /**
   * Network for the tasks.
   * @default a new one with public subnets in two zones, no NAT, and an endpoint for S3
   */
  readonly vpc?: IVpc;
  /**
   * Subnets for the tasks: public ones with `assignPublicIp`, or private ones with a way out.
   * @default the public subnets of a new network; of a given one those that CDK takes for private with a way out
   */
  readonly taskSubnets?: SubnetSelection;
  /**
   * Whether tasks get a public address; without one they need a NAT to get at images and at GitLab.
   * @default whether the tasks' subnets are public
   */
  readonly assignPublicIp?: boolean;
  /**
   * Security groups of the tasks.
   * @default a new one that lets everything out and nothing in
   */
  readonly securityGroups?: ISecurityGroup[];
  /**
   * Whether the functions are in the network too, for a GitLab that only it can reach. They need subnets
   * with a NAT, or with endpoints for all services that they use, for a function never has a public address.
   * @default false
   */
  readonly functionsInVpc?: boolean;
  /**
   * Subnets of the functions, where they are in the network.
   * @default the private subnets with a way out
   */
  readonly functionSubnets?: SubnetSelection;
  /**
   * Security groups of the functions, where they are in the network.
   * @default those of the tasks
   */
  readonly functionSecurityGroups?: ISecurityGroup[];
}

export interface FunctionPlace {
  readonly vpc: IVpc;
  readonly vpcSubnets: SubnetSelection;
  readonly securityGroups: ISecurityGroup[];
}

export class Network extends Construct {
  readonly vpc: IVpc;
  readonly taskSubnets: readonly ISubnet[];
  readonly assignPublicIp: boolean;
  readonly securityGroups: readonly ISecurityGroup[];
  /** undefined where they are in no network. */
  readonly functions: FunctionPlace | undefined;

  constructor(scope: Construct, id: string, props: NetworkProps) {
    super(scope, id);
    const vpc = props.vpc ?? this.ownVpc();
    this.vpc = vpc as IVpc;
    const usual = props.vpc === undefined ? SubnetType.PUBLIC : SubnetType.PRIVATE_WITH_EGRESS;
    const chosen = this.vpc.selectSubnets(props.taskSubnets ?? { subnetType: usual });
    this.taskSubnets = chosen.subnets;
    this.assignPublicIp = props.assignPublicIp ?? chosen.hasPublic;
    this.securityGroups = props.securityGroups ?? [
      new SecurityGroup(this, "Tasks", {
        vpc: this.vpc,
        description: "GitLab jobs: everything out, nothing in",
      }),
    ];
    this.functions = props.functionsInVpc
      ? {
          vpc: this.vpc,
          vpcSubnets: props.functionSubnets ?? { subnetType: SubnetType.PRIVATE_WITH_EGRESS },
          securityGroups: [...(props.functionSecurityGroups ?? this.securityGroups)],
        }
      : undefined;
  }

  private ownVpc(): Vpc {
    const vpc = new Vpc(this, "Vpc", {
      maxAzs: 2,
      natGateways: 0,
      subnetConfiguration: [
        // 4,091 tasks at once in each zone. Addresses are given to tasks, not by the subnet.
        { name: "Tasks", subnetType: SubnetType.PUBLIC, cidrMask: 20, mapPublicIpOnLaunch: false },
      ],
      gatewayEndpoints: { S3: { service: GatewayVpcEndpointAwsService.S3 } },
      // Would take a function of CDK's own in every deployment; nothing uses the default group.
      restrictDefaultSecurityGroup: false,
    });
    Validations.of(vpc).acknowledge({
      id: "AwsSolutions-VPC7",
      reason:
        "Flow logs of jobs cost more than the jobs' own logs and tell little: nothing can come in, and jobs may go anywhere. Whoever has to keep them gives a network of their own.",
    });
    return vpc;
  }
}
